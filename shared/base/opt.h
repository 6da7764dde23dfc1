#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/base/vec.h"

/* Options and commands as tables. From one table come parsing (getopt_long), --help and shell
 * completion. Syntax is pflag's: --name value, --name=value, --flag, --flag=false, -n value,
 * -nvalue, options anywhere, "--" ends them; lists take comma-separated (CSV-quoted) values and
 * may repeat, the first use replacing the default. -h/--help is added to every command. An
 * unknown option names itself and the nearest known one. */

enum opt_type {
	OPT_BOOL,	/* bool */
	OPT_STR,	/* const char * */
	OPT_LIST,	/* struct strs */
	OPT_INT,	/* int64_t */
	OPT_DURATION,	/* int64_t, nanoseconds */
	OPT_SIZE,	/* int64_t, bytes; "-1" allowed */
};

enum opt_flag {
	OPT_HIDDEN = 1 << 0,	/* not in help or completion */
	OPT_REQUIRED = 1 << 1,
};

struct opt {
	const char *name;	/* long, without dashes; NULL ends a table */
	char letter;		/* short form or 0 */
	enum opt_type type;
	size_t offset;		/* of the field in the request struct */
	const char *def;	/* default as text, NULL = zero value; lists: comma-separated */
	const char *arg;	/* argument's name in help, NULL for bools */
	const char *help;	/* one line */
	unsigned flags;
};

struct cmd {
	const char *name;	/* may be two words: "source get" */
	const char *args;	/* "CONFIG TAG OUTPUT", for help and errors */
	const char *summary;	/* one line */
	const struct opt *opts;	/* ends with a NULL name; NULL = none */
	size_t req_size;	/* size of the request struct, zeroed and filled from opts */
	int min_args, max_args;	/* max -1 = any number */
	bool hidden;
	/* Runs the command: the request, the remaining arguments. Returns false with err set. */
	bool (*run)(void *req, const struct strs *args, struct arena *a, struct err *err);
};

struct prog {
	const char *name;	/* "apko" */
	const char *summary;
	const struct cmd *cmds;	/* ends with a NULL name */
	const struct opt *globals;	/* accepted by every command, before or after its name */
	void *global_req;
	/* Called when the options are parsed, before run; may be NULL (sets log level, chdir). */
	bool (*setup)(void *global_req, struct err *err);
};

/* The whole of a program's main: parses, prints help to stdout, runs, prints the one error line
 * through log_error. Returns the exit status: 0 or 1 (both tools' users expect 1 for wrong use
 * as well). `completion SHELL` for bash, zsh and fish and `help [CMD]` are built in. */
int opt_main(const struct prog *prog, int argc, char **argv);

/* Parsing alone: fills req from argv[1..]; rest gets the positional arguments. */
bool opt_parse(const struct opt *opts, const struct opt *globals, int argc, char **argv,
	void *req, void *global_req, struct arena *a, struct strs *ret_args, bool *ret_help,
	struct err *err) must_check;
