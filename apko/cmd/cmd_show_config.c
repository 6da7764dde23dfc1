#include "apko/cmd/cmd.h"

#include "shared/image/imgconf.h"

#define MAX_CONFIG (64u << 20)

/* The flags of the other commands, so that a command line can be tried with this one first. What
 * is appended is not shown: the text printed is what the files say. */
static const struct opt opts[] = {
	RO("include-paths", 0, LIST, include_paths, "", "DIR",
		"where the configuration and its includes are looked for as well"),
	RO("keyring-append", 'k', LIST, keys, "", "KEY", "as for build; not shown"),
	RO("build-repository-append", 'b', LIST, build_repos, "", "REPO",
		"as for build; not shown"),
	RO("repository-append", 'r', LIST, repos, "", "REPO", "as for build; not shown"),
	RO("cache-dir", 0, STR, cache_dir, "", "DIR", "as for build; nothing is cached"),
	RO("offline", 0, BOOL, offline, NULL, NULL, "as for build; no network is used anyway"),
	{ 0 },
};

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct apko_req *r = req;
	auto_buf struct buf out = BUF_INIT(MAX_CONFIG);
	struct imgconf conf;
	if (!imgconf_load(args->v[0].p, &r->include_paths, a, &conf, NULL, err))
		return false;
	return imgconf_yaml(&conf, &out, err) && cmd_print(buf_str(&out), err);
}

const struct cmd cmd_show_config = {
	.name = "show-config",
	.args = "CONFIG",
	.summary = "print the configuration, merged with what it includes and checked, as YAML",
	.opts = opts,
	.req_size = sizeof(struct apko_req),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
