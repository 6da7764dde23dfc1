#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "shared/base/arena.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"

/* Child processes. Arguments and environment are exact; nothing of the host's environment is
 * passed unless env is NULL. Descriptors above 2 are closed. Children die with their parent. */

struct proc_opts {
	const char *const *argv;	/* NULL-terminated; argv[0] looked up on our PATH */
	const char *const *env;		/* NULL-terminated KEY=VALUE; NULL = inherit */
	const char *cwd;		/* NULL = ours */
	int stdin_fd;			/* -1 = /dev/null */
	bool tty;			/* inherit stdin, stdout and stderr */
	/* Output by line, without the line end; a last unterminated line is given at the end.
	 * is_err: came from stderr. NULL: discarded. Lines over 64 KiB are split. */
	void (*line)(struct str line, bool is_err, void *user);
	void *user;
	struct buf *out;		/* whole stdout instead of lines, bounded by its max */
	int64_t timeout_ns;		/* 0 = none; then the group is killed, kind EK_CANCELLED */
	/* Runs in the child between fork and exec: async-signal-safe calls only; false = _exit */
	bool (*child)(void *user);
	void *child_user;
};

/* Runs to the end. ret_status gets waitpid's status. false only if it could not be run, timed
 * out or was interrupted (see proc_interrupts). */
bool proc_run(const struct proc_opts *o, int *ret_status, struct err *err) must_check;
/* "exit status 7", "killed by signal 9 (Killed)". */
char *proc_status_text(struct arena *a, int status);
/* Full path of a program on PATH, NULL if none. */
char *proc_find(struct arena *a, const char *name);

/* After this, SIGINT, SIGTERM and SIGHUP only set a flag: proc_run kills its child's group and
 * fails with EK_CANCELLED, and long loops ask proc_interrupted(). */
void proc_interrupts(void);
bool proc_interrupted(void);
/* All children are stopped at this moment of tstamp_mono_ns; 0 = never. Set it before threads. */
void proc_deadline(int64_t mono_ns);
bool proc_check(struct err *err) must_check;	/* false, EK_CANCELLED, once interrupted */
