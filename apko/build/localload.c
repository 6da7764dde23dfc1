#include "apko/build/localload.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "apko/oci/dockertar.h"
#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/proc.h"

static void log_output(struct str line, bool is_err, void *user)
{
	(void)is_err;
	(void)user;
	log_debug("docker: %.*s", STR_ARG(line));
}

/* ret_ok: it exited with 0. */
static bool docker(const char *const *argv, bool *ret_ok, struct err *err)
{
	const struct proc_opts o = {.argv = argv, .stdin_fd = -1, .line = log_output};
	int status;
	if (!proc_run(&o, &status, err))
		return false;
	*ret_ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return true;
}

static bool must(const char *const *argv, struct err *err)
{
	bool ok = false;
	if (!docker(argv, &ok, err) || ok)
		return ok;
	(void)err_set(err, EK_CHILD, "'docker %s' failed", argv[1]);
	return err_hint(
		err, "see that the docker daemon runs; --log-level debug shows what it says");
}

static const struct oci_image *choose(const struct oci_image *imgs, size_t n)
{
	const char *os = getenv("GOOS"), *arch = getenv("GOARCH");
	const struct oci_image *found = &imgs[0];
	if (os && *os && !str_is(str_of(os), "linux"))
		return found;
	for (size_t i = 0; i < n; i++)
		if (str_is(str_of(imgs[i].arch->goarch), arch && *arch ? arch : "amd64"))
			found = &imgs[i];
	return found;
}

static bool load(const struct oci_image *img, const struct oci_ref *ref, const char *dir,
	const char *name, struct arena *a, struct err *err)
{
	const char *tar = arena_printf(a, "%s/image.tar", dir);
	const char *made = oci_ref_arch_tag(ref, img->arch, a).p;
	const char *const load_argv[] = {"docker", "load", "--quiet", "--input", tar, NULL};
	const char *const tag_argv[] = {"docker", "tag", made, name, NULL};
	const char *const untag_argv[] = {"docker", "rmi", "--no-prune", made, NULL};
	return oci_dockertar_write(tar, ref, img, 1, S("{}"), err) && must(load_argv, err) &&
	       must(tag_argv, err) && must(untag_argv, err);
}

bool local_load(const struct oci_image *imgs, size_t n, const struct oci_ref *tags, size_t n_tags,
	struct arena *a, struct str *ret_name, struct err *err)
{
	const struct oci_image *img = choose(imgs, n);
	const char *name = arena_printf(a, "apko.local/cache:%s", img->manifest.hex);
	const char *const inspect[] = {"docker", "image", "inspect", name, NULL};
	struct oci_ref ref;
	bool there = false;
	if (!proc_find(a, "docker"))
		return err_set(err, EK_NOTFOUND,
			"--local needs the program 'docker'\n"
			"hint: install it, or build into a layout directory with 'apko build'");
	if (!oci_ref_parse(str_of(name), a, &ref, err) || !docker(inspect, &there, err))
		return false;
	if (!there) {
		char *dir = dir_temp(a, "apko-", err);
		bool ok = dir && load(img, &ref, dir, name, a, err);
		auto_err struct err ignored = ERR_INIT;
		if (dir)
			(void)!dir_remove(dir, &ignored);
		if (!ok)
			return false;
	}
	for (size_t i = 0; i < n_tags; i++) {
		const char *tag = arena_printf(
			a, "%.*s:%.*s", STR_ARG(oci_ref_name(&tags[i], a)), STR_ARG(tags[i].tag));
		const char *const argv[] = {"docker", "tag", name, tag, NULL};
		if (!must(argv, err))
			return false;
	}
	*ret_name = str_of(name);
	return true;
}
