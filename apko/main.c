#include <unistd.h>

#include "apko/cmd/cmd.h"
#include "shared/base/log.h"
#include "shared/os/proc.h"

struct globals {
	const char *log_level, *workdir;
};

static const struct opt globals_opts[] = {
	{ "log-level", 0, OPT_STR, offsetof(struct globals, log_level), "INFO", "LEVEL",
		"what is logged: debug, info, warn, error, with +N or -N", 0 },
	{ "workdir", 'C', OPT_STR, offsetof(struct globals, workdir), "", "DIR",
		"go there before anything else", 0 },
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
	return !*g->workdir || chdir(g->workdir) == 0 ||
		err_sys(err, "cannot go to '%s'", g->workdir);
}

int main(int argc, char **argv)
{
	const struct cmd cmds[] = {
		cmd_build,
		cmd_build_cpio,
		cmd_build_minirootfs,
		cmd_clean,
		cmd_dot,
		cmd_install_keys,
		cmd_lock,
		cmd_login,
		cmd_publish,
		cmd_resolve,
		cmd_show_config,
		cmd_show_packages,
		cmd_version, cmd_why,
		{ 0 },
	};
	struct globals globals = { 0 };
	const struct prog prog = {
		.name = "apko",
		.summary = "builds OCI images from APK packages",
		.cmds = cmds,
		.globals = globals_opts,
		.global_req = &globals,
		.setup = setup,
	};
	return opt_main(&prog, argc, argv);
}
