#include "melange/cmd/cmd.h"

#include "melange/upstream/bump.h"
#include "shared/net/auth.h"

struct bump_cmd {
	const char *expected_commit;
};

static const struct opt opts[] = {
	{ "expected-commit", 0, OPT_STR, offsetof(struct bump_cmd, expected_commit), NULL, "HASH",
		"commit that the git-checkout step shall expect", 0 },
	{ 0 },
};

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct bump_cmd *cmd = req;
	struct auth auth = { 0 };
	if (!auth_load(&auth, a, err))
		return false;
	const struct http_opts ho = { .user_agent = "melange/" PROJECT_VERSION, .auth = &auth };
	auto_http struct http *http = http_new(&ho, err);
	const struct bump_req br = {
		.path = args->v[0].p,
		.version = args->v[1],
		.expected_commit = cmd->expected_commit,
		.http = http,
	};
	return http && bump(&br, err);
}

const struct cmd cmd_bump = {
	.name = "bump",
	.args = "CONFIG VERSION",
	.summary = "change a build file to another version: version, epoch, sums and commit",
	.opts = opts,
	.req_size = sizeof(struct bump_cmd),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
