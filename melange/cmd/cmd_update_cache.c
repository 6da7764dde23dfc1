#include "melange/cmd/cmd.h"

#include "melange/upstream/update_cache.h"
#include "shared/net/auth.h"

struct update_cache_cmd {
	const char *dir;
};

static const struct opt opts[] = {
	{ "cache-dir", 0, OPT_STR, offsetof(struct update_cache_cmd, dir), "/var/cache/melange",
		"DIR", "where the files go", 0 },
	{ 0 },
};

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct update_cache_cmd *cmd = req;
	struct auth auth = { 0 };
	if (!auth_load(&auth, a, err))
		return false;
	const struct http_opts ho = { .user_agent = "melange/" PROJECT_VERSION, .auth = &auth };
	auto_http struct http *http = http_new(&ho, err);
	for (size_t i = 0; http && i < args->n; i++)
		if (!update_cache(args->v[i].p, cmd->dir, http, err))
			return false;
	return http;
}

const struct cmd cmd_update_cache = {
	.name = "update-cache",
	.args = "CONFIG...",
	.summary = "download what fetch steps ask for into a cache directory",
	.opts = opts,
	.req_size = sizeof(struct update_cache_cmd),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
