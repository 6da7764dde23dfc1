#include "apko/cmd/cmd.h"

#include "apko/build/output.h"

static const struct opt opts[] = {APKO_OPTS, APKO_IMAGE_OPTS,
	APKO_JSON_OPT("tell on standard output, as JSON, why packages cannot be selected"), {0}};

bool image_opts_check(struct apko_req *r, struct err *err)
{
	for (size_t i = 0; i < r->sbom_formats.n; i++)
		if (!str_is(r->sbom_formats.v[i], "spdx"))
			return err_set(err, EK_USAGE, "unknown SBOM format '%.*s'\nhint: use spdx",
				STR_ARG(r->sbom_formats.v[i]));
	r->sbom = r->sbom && r->sbom_formats.n;
	return true;
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct apko_req *r = req;
	r->config = args->v[0].p;
	r->tag = args->v[1].p;
	r->output = args->v[2].p;
	return (image_opts_check(r, err) && build_all(r, a, err)) || cmd_failed(r, err);
}

const struct cmd cmd_build = {
	.name = "build",
	.args = "CONFIG TAG OUTPUT",
	.summary = "build an image into a layout directory or a tar",
	.opts = opts,
	.req_size = sizeof(struct apko_req),
	.min_args = 3,
	.max_args = 3,
	.run = run,
};
