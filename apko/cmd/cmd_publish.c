#include "apko/cmd/cmd.h"

#include "apko/build/publish.h"

static const struct opt opts[] = {
	APKO_OPTS,
	APKO_IMAGE_OPTS,
	{"image-refs", 0, OPT_STR, offsetof(struct publish_req, image_refs), "", "FILE",
		"write the references of all that was pushed, one per line", 0},
	{"local", 0, OPT_BOOL, offsetof(struct publish_req, local), NULL, NULL,
		"load the image into the docker daemon instead of pushing it", 0},
	{0},
};
_Static_assert(offsetof(struct publish_req, build) == 0, "the options' fields are of build");

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct publish_req *r = req;
	struct strs tags = {.v = args->v + 1, .n = args->n - 1};
	struct str name;
	r->build.config = args->v[0].p;
	if (!image_opts_check(&r->build, err) || !publish_all(r, &tags, a, &name, err))
		return false;
	return cmd_print(arena_strf(a, "%.*s\n", STR_ARG(name)), err);
}

const struct cmd cmd_publish = {
	.name = "publish",
	.args = "CONFIG TAG...",
	.summary = "build an image and push it to a registry; prints its reference",
	.opts = opts,
	.req_size = sizeof(struct publish_req),
	.min_args = 2,
	.max_args = -1,
	.run = run,
};
