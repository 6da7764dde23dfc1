#include "melange/cmd/cmd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "melange/inspect/pkgfile.h"
#include "melange/license/licfix.h"
#include "melange/upstream/source.h"
#include "melange/upstream/upstream.h"
#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

struct license_cmd {
	const char *workdir, *format, *scan_type;
	bool fix;
};

#define LC(name, type, field, def, arg, help)                                                      \
	{ name, 0, OPT_##type, offsetof(struct license_cmd, field), def, arg, help, 0 }
static const struct opt opts[] = {
	LC("workdir", STR, workdir, "", "DIR",
		"sources to look at; by default what the first git-checkout step gets"),
	LC("fix", BOOL, fix, NULL, NULL, "have package.copyright say what was found"),
	LC("format", STR, format, "flat", "FORM",
		"how: flat, an entry for each file, or simple, one for all"),
	LC("scan-type", STR, scan_type, "shallow", "TYPE", "shallow: two levels; deep: all"),
	{ 0 },
};

/* One of two words: whether it is the second. */
static bool choice(const char *flag, const char *value, const char *first, const char *second,
	bool *ret, struct err *err)
{
	*ret = strcmp(value, second) == 0;
	return *ret || strcmp(value, first) == 0 ||
		err_set(err, EK_USAGE, "--%s is '%s'\nhint: use %s or %s", flag, value, first, second);
}

struct checking {
	const struct license_cmd *cmd;
	const char *path;
	bool simple, deep;
	struct arena *a;
	char *temp;		/* a directory to be removed; NULL = none */
	struct upfile file;	/* the build file; its doc is NULL when there is none to change */
	struct lic_report report;
};

static bool check_dir(struct checking *c, const char *dir, const struct package *pkg,
	struct err *err)
{
	auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open the directory '%s'", dir);
	return license_check(fd, dir, pkg, c->deep, c->a, &c->report, err);
}

/* The sources of a build file's first git-checkout step, or nothing, in a temporary directory. */
static bool sources(struct checking *c, const char *config, const char **ret, struct err *err)
{
	struct upfile file;
	if (!upfile_load(config, c->a, &file, err))
		return false;
	const char *out = arena_printf(c->a, "%s/sources", c->temp);
	const struct source_req req = { config, out, "" };
	*ret = arena_printf(c->a, "%s/%.*s", out, STR_ARG(file.c.package.name.s));
	if (upstream_steps(&file, "git-checkout").n)
		return source_get(&req, err);
	return dir_make(*ret, 0700, err);
}

static bool make_temp(struct checking *c, struct err *err)
{
	return (c->temp = dir_temp(c->a, "melange-license-", err)) != NULL;
}

static bool check_build_file(struct checking *c, struct err *err)
{
	const char *dir = c->cmd->workdir;
	if (!upfile_load(c->path, c->a, &c->file, err) ||
		(!*dir && !(make_temp(c, err) && sources(c, c->path, &dir, err))))
		return false;
	return check_dir(c, dir, &c->file.c.package, err);
}

/* As a build file of its own, for its sources. */
static bool package_sources(struct checking *c, struct str yaml, const char **ret, struct err *err)
{
	if (!make_temp(c, err))
		return false;
	const char *path = arena_printf(c->a, "%s/melange.yaml", c->temp);
	return file_write(path, yaml.p, yaml.n, 0600, err) && sources(c, path, ret, err);
}

/* Its configuration, against sources that are named or got as it says. */
static bool check_package(struct checking *c, struct err *err)
{
	const struct load_opts lo = { .recorded = true, .any_version = true };
	auto_pkgfiles struct pkgfiles files = { 0 };
	struct pkgfile f = { 0 };
	struct config conf;
	struct str yaml;
	const char *dir = c->cmd->workdir;
	if (!pkgfiles_init(&files, NULL, NULL, c->a, err) || !pkgfile_open(&files, c->path, &f, err))
		return false;
	bool ok = pkgfile_control(&f, ".melange.yaml", &yaml, err) &&
		config_parse(yaml, arena_printf(c->a, "%s:.melange.yaml", c->path), &lo, c->a, &conf,
			err) &&
		(*dir || package_sources(c, yaml, &dir, err)) &&
		check_dir(c, dir, &conf.package, err);
	pkgfile_close(&f);
	return ok;
}

static bool fix(struct checking *c, struct err *err)
{
	struct yedits edits = { 0 };
	log_info("attempting to update copyright");
	if (!c->report.n_differences) {
		log_info("no actionable license differences detected");
		return true;
	}
	return license_fix(c->file.c.doc, &c->report, c->simple ? LIC_SIMPLE : LIC_FLAT, c->a, &edits,
			err) &&
		upfile_write(&c->file, c->path, &edits, err);
}

static bool check(struct checking *c, struct err *err)
{
	struct stat st;
	bool dir = stat(c->path, &st) == 0 && S_ISDIR(st.st_mode);
	bool package = str_ends(str_of(c->path), S(".apk"));
	if (c->cmd->fix && (dir || package))
		return err_set(err, EK_USAGE, "--fix needs a build file: '%s' is none", c->path);
	if (dir)
		return check_dir(c, c->path, NULL, err);
	if (package)
		return check_package(c, err);
	return check_build_file(c, err) && (!c->cmd->fix || fix(c, err));
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct license_cmd *cmd = req;
	struct checking c = { .cmd = cmd, .path = args->v[0].p, .a = a };
	if (!choice("format", cmd->format, "flat", "simple", &c.simple, err) ||
		!choice("scan-type", cmd->scan_type, "shallow", "deep", &c.deep, err))
		return false;
	bool ok = check(&c, err);
	auto_err struct err left = ERR_INIT;
	if (c.temp && !dir_remove(c.temp, &left))
		log_warn("cannot remove '%s': %s", c.temp, left.msg);
	return ok;
}

const struct cmd cmd_license_check = {
	.name = "license-check",
	.args = "CONFIG|APK|DIR",
	.summary = "compare licence files of the sources with package.copyright",
	.opts = opts,
	.req_size = sizeof(struct license_cmd),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
