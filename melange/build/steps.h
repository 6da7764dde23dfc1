#pragma once

#include "melange/config/model.h"
#include "melange/sandbox/sandbox.h"

/* Compiled steps, run in order in a sandbox (melange-build 2.4). Nothing is decided here: `if` and
 * every value are the compiler's work. */

struct steps_run {
	const struct sandbox_ops *ops;
	struct sandbox *sandbox;
	const char *workspace;	/* on the host, for the shell history of an interactive failure */
	bool debug;		/* set -x */
	bool interactive;	/* a shell where a step failed */
	bool no_pipefail;	/* the guest's shell does not know it */
};
/* Prepares the guest: ldconfig, and finds out what its shell knows. Fails when it has no shell. */
bool steps_prepare(struct steps_run *r, struct err *err) must_check;
/* Runs a pipeline; ret_ran gets how many of its direct steps ran. */
bool steps_run(struct steps_run *r, const struct bind_list *pipeline, size_t *ret_ran,
	struct err *err) must_check;
/* One command line in the guest's shell, output logged; false unless it exits 0. */
bool steps_shell(struct steps_run *r, const char *script, struct err *err) must_check;
