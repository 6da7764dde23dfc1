#include "apko/cmd/cmd.h"

#include <unistd.h>

#include "shared/os/fd.h"
#include "shared/text/version_text.h"

struct version {
	bool json;
};

static const struct opt opts[] = {
	{ "json", 0, OPT_BOOL, offsetof(struct version, json), NULL, NULL, "print JSON", 0 },
	{ 0 },
};

bool cmd_print(struct str text, struct err *err)
{
	return fd_write_all(STDOUT_FILENO, text.p, text.n, "standard output", err);
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)args;
	const struct version *v = req;
	return cmd_print(version_text("apko", v->json, a), err);
}

const struct cmd cmd_version = {
	.name = "version",
	.summary = "print the version",
	.opts = opts,
	.req_size = sizeof(struct version),
	.run = run,
};
