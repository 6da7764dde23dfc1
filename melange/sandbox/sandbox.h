#pragma once

#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"
#include "shared/text/bind.h"

/* Where a build's steps run. A sandbox is opened once per build (or test) over a guest root and
 * runs one command at a time in it; ops let tests put a fake in bubblewrap's place. */

struct sandbox_spec {
	const char *guest;		/* root directory of the guest */
	bool guest_read_only;		/* it is an existing system: shown as it is, not writable,
					 * with fresh /tmp, /home and /var/cache */
	bool guest_shared;		/* it belongs to the store or the host: never written; the
					 * build sees a private writable view of it */
	const char *workspace;		/* mounted on /home/build */
	const char *cache_dir;		/* mounted on /var/cache/melange; NULL = none */
	bool resolv_conf;		/* show the host's /etc/resolv.conf, read-only */
	bool network;			/* false: an empty network namespace */
	int64_t uid, gid;		/* run-as; -1 = the runner's default */
	struct strs cap_add, cap_drop;	/* as in the configuration */
	struct ykvs env;		/* variables of every command */
	bool debug;
};

struct sandbox_cmd {
	const char *const *argv;	/* inside the guest */
	const struct ykvs *env;		/* on top of the sandbox's; may be NULL */
	bool interactive;		/* attach the terminal */
	void (*line)(struct str line, bool is_err, void *user);
	void *user;
};

struct sandbox;
struct sandbox_ops {
	const char *name;
	/* Whether this host can run it at all: EK_OTHER with a hint what to install or allow. */
	bool (*usable)(struct err *err);
	struct sandbox *(*open)(const struct sandbox_spec *spec, struct err *err);
	/* ret_status as waitpid's; false: could not be run, or interrupted. */
	bool (*run)(struct sandbox *s, const struct sandbox_cmd *cmd, int *ret_status,
		struct err *err);
	void (*close)(struct sandbox *s);
};
extern const struct sandbox_ops sandbox_bwrap;
