#include "shared/base/opt.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/log.h"
#include "shared/base/match.h"
#include "shared/base/opt_help.h"

/* A command's name may be two words; *ret_words tells how many arguments it took. */
static const struct cmd *find_cmd(const struct prog *prog, int argc, char **argv, int *ret_words)
{
	for (const struct cmd *c = prog->cmds; c->name; c++) {
		struct str first, second;
		bool two = str_cut(str_of(c->name), ' ', &first, &second);
		if (argc < 1 || !str_is(first, argv[0]))
			continue;
		if (!two || (argc > 1 && str_is(second, argv[1]))) {
			*ret_words = 1 + two;
			return c;
		}
	}
	return NULL;
}

/* Whether word is the first of a name of two words. */
static bool is_group(const struct prog *prog, const char *word)
{
	for (const struct cmd *c = prog->cmds; c->name; c++) {
		struct str first, second;
		if (str_cut(str_of(c->name), ' ', &first, &second) && str_is(first, word))
			return true;
	}
	return false;
}

static bool no_such_cmd(
	const struct prog *prog, int argc, char **argv, struct arena *a, struct err *err)
{
	VEC(const char *) names = {0};
	for (const struct cmd *c = prog->cmds; c->name; c++)
		if (!c->hidden)
			vec_push(a, &names, c->name);
	vec_push(a, &names, "help");
	vec_push(a, &names, "completion");
	struct str one = str_of(argv[0]), two = one;
	if (argc > 1)
		two = arena_strf(a, "%s %s", argv[0], argv[1]);
	const char *near = is_group(prog, argv[0]) ? NULL : match_nearest(one, names.v, names.n);
	if (!near)
		near = match_nearest(two, names.v, names.n);
	(void)err_set(err, EK_USAGE, "unknown command '%.*s'",
		STR_ARG(is_group(prog, argv[0]) ? two : one));
	if (near)
		return err_hint(err, "did you mean '%s %s'?", prog->name, near);
	return err_hint(err, "'%s --help' lists the commands", prog->name);
}

static bool wrong_count(const struct cmd *c, size_t n, struct err *err)
{
	const char *args = c->args ? c->args : "", *open = *args ? " (" : "";
	const char *shut = *args ? ")" : "", *how = "";
	int bound = c->min_args;
	if (c->max_args == 0)
		return err_set(err, EK_USAGE, "accepts no args, received %zu", n);
	if (c->max_args < 0)
		how = "at least ";
	else if (c->min_args != c->max_args && (int)n < c->min_args)
		how = "at least ";
	else if (c->min_args != c->max_args) {
		how = "at most ";
		bound = c->max_args;
	}
	return err_set(err, EK_USAGE, "accepts %s%d arg%s%s%s%s, received %zu", how, bound,
		bound == 1 ? "" : "s", open, args, shut, n);
}

static bool run_cmd(const struct prog *prog, const struct cmd *c, int argc, char **argv,
	struct arena *a, struct err *err)
{
	void *req = arena_alloc(a, c->req_size ? c->req_size : 1);
	struct strs args = {0};
	bool help = false;
	if (!opt_parse(c->opts, prog->globals, argc, argv, req, prog->global_req, a, &args, &help,
		    err))
		return false;
	if (help) {
		opt_help_cmd(prog, c);
		return true;
	}
	if ((int)args.n < c->min_args || (c->max_args >= 0 && (int)args.n > c->max_args)) {
		(void)wrong_count(c, args.n, err);
		return err_hint(err, "see '%s %s --help'", prog->name, c->name);
	}
	return (!prog->setup || prog->setup(prog->global_req, err)) && c->run(req, &args, a, err);
}

/* Whether a global option in arg has its value in the argument behind it. */
static bool takes_next(const struct opt *globals, const char *arg)
{
	const struct opt *o;
	if (arg[1] == '-') {
		for (o = globals; o && o->name; o++)
			if (strcmp(arg + 2, o->name) == 0)
				return o->type != OPT_BOOL;
		return false;
	}
	for (const char *letter = arg + 1; *letter; letter++) {
		for (o = globals; o && o->name && o->letter != *letter;)
			o++;
		if (!o || !o->name || o->type != OPT_BOOL)
			return o && o->name && !letter[1];
	}
	return false;
}

/* Where the command's name stands: global options may precede it. */
static int find_word(const struct prog *prog, int argc, char **argv)
{
	int i = 1;
	for (; i < argc && argv[i][0] == '-' && argv[i][1] && strcmp(argv[i], "--") != 0; i++)
		i += takes_next(prog->globals, argv[i]);
	return i < argc ? i : argc;
}

static bool help_on(
	const struct prog *prog, int argc, char **argv, struct arena *a, struct err *err)
{
	int words;
	if (argc == 0 || argv[0][0] == '-') {
		opt_help_prog(prog, NULL);
		return true;
	}
	const struct cmd *c = find_cmd(prog, argc, argv, &words);
	if (c)
		opt_help_cmd(prog, c);
	else if (is_group(prog, argv[0]) && (argc == 1 || argv[1][0] == '-'))
		opt_help_prog(prog, argv[0]);
	else
		return no_such_cmd(prog, argc, argv, a, err);
	return true;
}

static bool completion(const struct prog *prog, int argc, char **argv, struct err *err)
{
	if (argc == 1 && (strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "--help") == 0)) {
		printf("print a completion script\n\nUsage:\n  %s completion bash|zsh|fish\n",
			prog->name);
		return true;
	}
	if (argc > 1)
		return err_set(err, EK_USAGE, "accepts 1 arg (SHELL), received %d", argc);
	return opt_completion(prog, argc ? argv[0] : NULL, err);
}

/* Without a command there is only help, once the global options are found good. */
static bool no_cmd(const struct prog *prog, int argc, char **argv, struct arena *a, struct err *err)
{
	struct strs args = {0};
	bool help;
	if (!opt_parse(
		    NULL, prog->globals, argc, argv, NULL, prog->global_req, a, &args, &help, err))
		return false;
	opt_help_prog(prog, NULL);
	return true;
}

static bool dispatch(
	const struct prog *prog, int argc, char **argv, struct arena *a, struct err *err)
{
	int at = find_word(prog, argc, argv), words = 0;
	if (at == argc)
		return no_cmd(prog, argc, argv, a, err);
	const struct cmd *c = find_cmd(prog, argc - at, argv + at, &words);
	if (!c && strcmp(argv[at], "help") == 0)
		return help_on(prog, argc - at - 1, argv + at + 1, a, err);
	if (!c && strcmp(argv[at], "completion") == 0)
		return completion(prog, argc - at - 1, argv + at + 1, err);
	if (!c)
		return help_on(prog, argc - at, argv + at, a, err);
	/* program name, then the globals, then what follows the command */
	char **rest = arena_array(a, char *, (size_t)argc + 1);
	int n = 0;
	for (int i = 0; i < at; i++)
		rest[n++] = argv[i];
	for (int i = at + words; i < argc; i++)
		rest[n++] = argv[i];
	return run_cmd(prog, c, n, rest, a, err);
}

/* What lists places in files is for editors to read as well: without time and level in front. */
static void report(const struct err *err)
{
	if (err->kind == EK_SOURCE)
		fprintf(stderr, "%s\n", err->msg);
	else
		log_error("%s", err->msg ? err->msg : "failed");
}

int opt_main(const struct prog *prog, int argc, char **argv)
{
#ifdef __GLIBC__
	/* Memory given back is asked for again at once, a fault for each page. */
	(void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	bool ok = dispatch(prog, argc, argv, &a, &err);
	if (!ok)
		report(&err);
	if ((fflush(stdout) != 0 || ferror(stdout)) && ok) {
		log_error("cannot write to standard output");
		ok = false;
	}
	return ok ? 0 : 1;
}
