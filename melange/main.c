#include <unistd.h>

#include "melange/cmd/cmd.h"
#include "shared/base/log.h"
#include "shared/base/opt.h"
#include "shared/os/proc.h"

struct globals {
	const char *log_level;
};

static const struct opt globals_opts[] = {
	{ "log-level", 0, OPT_STR, offsetof(struct globals, log_level), "INFO", "LEVEL",
		"what is logged: debug, info, warn, error, with +N or -N", 0 },
	{ 0 },
};

static bool setup(void *req, struct err *err)
{
	const struct globals *g = req;
	int level;
	if (!log_level_parse(str_of(g->log_level), &level))
		return err_set(err, EK_USAGE,
			"unknown log level '%s'\nhint: use debug, info, warn or error", g->log_level);
	log_setup(level, STDERR_FILENO);
	proc_interrupts();
	return true;
}

int main(int argc, char **argv)
{
	const struct cmd cmds[] = {
		cmd_build,
		cmd_bump,
		cmd_compile,
		cmd_index,
		cmd_keygen,
		cmd_license_check,
		cmd_lint,
		cmd_package_version,
		cmd_pipelines,
		cmd_query,
		cmd_rebuild,
		cmd_scan,
		cmd_schema,
		cmd_sign,
		cmd_sign_index,
		cmd_source_get,
		cmd_source_pop,
		cmd_test,
		cmd_update_cache,
		cmd_version,
		{ 0 },
	};
	struct globals globals = { 0 };
	const struct prog prog = {
		.name = "melange",
		.summary = "builds APK packages from build files",
		.cmds = cmds,
		.globals = globals_opts,
		.global_req = &globals,
		.setup = setup,
	};
	return opt_main(&prog, argc, argv);
}
