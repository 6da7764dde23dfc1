#include "melange/cmd/cmd.h"

#include <string.h>

#include "melange/config/schema.h"
#include "shared/text/bind_schema.h"

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)req;
	(void)a;
	bool pipeline = args->n && strcmp(args->v[0].p, "pipeline") == 0;
	if (args->n && !pipeline && strcmp(args->v[0].p, "build") != 0)
		return err_set(err, EK_USAGE, "no schema '%s'\nhint: there are build and pipeline",
			args->v[0].p);
	auto_buf struct buf out = BUF_INIT(16u << 20);
	bind_json_schema(pipeline ? &definition_schema : &config_schema,
		pipeline ? "melange pipeline definition" : "melange build file", &out);
	return cmd_print(buf_str(&out), err);
}

const struct cmd cmd_schema = {
	.name = "schema",
	.args = "[build|pipeline]",
	.summary = "print the JSON Schema of build files or pipeline definitions, for editors",
	.max_args = 1,
	.run = run,
};
