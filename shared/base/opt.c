#include "shared/base/opt.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/log.h"
#include "shared/base/match.h"
#include "shared/base/num.h"
#include "shared/base/opt_help.h"

#define FIRST_LONG 256

/* One option of the tables in use, with the struct it fills. */
struct slot {
	const struct opt *opt;
	char *field;
	bool seen;
};

struct parser {
	struct arena *a;
	VEC(struct slot) slots;
	bool help;
};

/* Comma-separated, with CSV quoting: `a,"b,c"` is a and b,c. */
static bool add_items(struct parser *p, struct strs *list, struct str text)
{
	while (text.n) {
		auto_buf struct buf item = BUF_INIT(1 << 20);
		bool quoted = text.p[0] == '"';
		size_t i = quoted;
		for (; i < text.n; i++) {
			char c = text.p[i];
			if (quoted && c == '"') {
				if (i + 1 < text.n && text.p[i + 1] == '"') {
					i++;
				} else {
					quoted = false;
					continue;
				}
			} else if (!quoted && c == ',') {
				break;
			}
			buf_addc(&item, c);
		}
		if (quoted)
			return false;
		strs_push(p->a, list, arena_str(p->a, buf_str(&item)));
		if (i + 1 == text.n)
			strs_push(p->a, list, S(""));
		text = str_from(text, i + 1);
	}
	return true;
}

static bool store_list(struct parser *p, struct slot *s, struct str text)
{
	struct strs *list = (struct strs *)s->field;
	if (!s->seen)
		*list = (struct strs){ 0 };
	return add_items(p, list, text);
}

static bool store_size(char *field, struct str text)
{
	int64_t n;
	uint64_t u;
	if (num_i64(text, &n)) {
		*(int64_t *)field = n;
		return true;
	}
	if (!num_size(text, &u) || u > INT64_MAX)
		return false;
	*(int64_t *)field = (int64_t)u;
	return true;
}

static bool store(struct parser *p, struct slot *s, const char *text)
{
	struct str t = str_of(text);
	switch (s->opt->type) {
	case OPT_BOOL:
		return num_bool(t, (bool *)s->field);
	case OPT_STR:
		*(const char **)s->field = arena_strdup(p->a, text);
		return true;
	case OPT_LIST:
		return store_list(p, s, t);
	case OPT_INT:
		return num_i64(t, (int64_t *)s->field);
	case OPT_DURATION:
		return num_duration(t, (int64_t *)s->field);
	case OPT_SIZE:
		return store_size(s->field, t);
	}
	BUG("option '%s' has no type", s->opt->name);
}

static const char *const type_names[] = {
	[OPT_BOOL] = "true or false",
	[OPT_STR] = "a text",
	[OPT_LIST] = "a comma-separated list",
	[OPT_INT] = "an integer",
	[OPT_DURATION] = "a duration such as 90s or 1h30m",
	[OPT_SIZE] = "a size such as 300MiB",
};

static void add_table(struct parser *p, const struct opt *opts, void *req)
{
	for (; opts && opts->name; opts++) {
		struct slot s = { .opt = opts, .field = (char *)req + opts->offset };
		if (opts->def && !store(p, &s, opts->def))
			BUG("default of --%s", opts->name);
		vec_push(p->a, &p->slots, s);
	}
}

static bool unknown(struct parser *p, const char *arg, struct err *err)
{
	const char **names = arena_array(p->a, const char *, p->slots.n + 1);
	struct str name = str_of(arg), rest;
	(void)str_skip(&name, S("--"));
	(void)str_cut(name, '=', &name, &rest);
	size_t n = 0;
	for (size_t i = 0; i < p->slots.n; i++)
		if (!(p->slots.v[i].opt->flags & OPT_HIDDEN))
			names[n++] = p->slots.v[i].opt->name;
	bool is_long = strncmp(arg, "--", 2) == 0;
	(void)err_set(err, EK_USAGE, is_long ? "unknown flag: --%.*s" : "unknown shorthand flag: %.*s",
		STR_ARG(name));
	const char *near = is_long ? match_nearest(name, names, n) : NULL;
	if (near)
		return err_hint(err, "did you mean --%s?", near);
	return err_hint(err, "--help lists the flags");
}

/* getopt's tables out of ours. */
static void getopt_tables(struct parser *p, struct option **ret_long, char **ret_short)
{
	struct option *longs = arena_array(p->a, struct option, p->slots.n + 2);
	char *shorts = arena_alloc(p->a, 3 * p->slots.n + 5), *q = shorts;
	*q++ = ':';
	*q++ = 'h';
	for (size_t i = 0; i < p->slots.n; i++) {
		const struct opt *o = p->slots.v[i].opt;
		bool flag = o->type == OPT_BOOL;
		longs[i] = (struct option){ o->name, flag ? optional_argument : required_argument, NULL,
			FIRST_LONG + (int)i };
		if (o->letter) {
			*q++ = o->letter;
			if (!flag)
				*q++ = ':';
		}
	}
	longs[p->slots.n] = (struct option){ "help", no_argument, NULL, 'h' };
	*ret_long = longs;
	*ret_short = shorts;
}

static struct slot *slot_of(struct parser *p, int got)
{
	if (got >= FIRST_LONG)
		return &p->slots.v[got - FIRST_LONG];
	for (size_t i = 0; i < p->slots.n; i++)
		if (p->slots.v[i].opt->letter == got)
			return &p->slots.v[i];
	return NULL;
}

/* getopt_long takes unique prefixes for long options; the tools' users expect exact names. */
static bool exact(const struct slot *s, const char *arg)
{
	if (strncmp(arg, "--", 2) != 0)
		return true;
	const char *name = arg + 2, *eq = strchr(name, '=');
	return str_eq(str_n(name, eq ? (size_t)(eq - name) : strlen(name)), str_of(s->opt->name));
}

static bool take(struct parser *p, struct slot *s, const char *value, struct err *err)
{
	const char *text = value ? value : "true";
	if (!store(p, s, text)) {
		err_set(err, EK_USAGE, "invalid argument \"%s\" for --%s: expected %s", text,
			s->opt->name, type_names[s->opt->type]);
		return false;
	}
	s->seen = true;
	return true;
}

static bool run_getopt(struct parser *p, int argc, char **argv, struct err *err)
{
	struct option *longs;
	char *shorts;
	getopt_tables(p, &longs, &shorts);
	optind = 0;
	opterr = 0;
	for (;;) {
		int before = optind ? optind : 1, which = -1;
		int got = getopt_long(argc, argv, shorts, longs, &which);
		const char *arg = before < argc ? argv[before] : "";
		if (got == -1)
			return true;
		/* optind has moved past the argument just taken */
		if (optind > before && optind - 1 < argc)
			arg = argv[optind - 1];
		if (got == 'h' && (which < 0 || which == (int)p->slots.n)) {
			p->help = true;
			return true;
		}
		if (got == ':')
			return err_set(err, EK_USAGE, "flag needs an argument: %s", arg);
		struct slot *s = got == '?' ? NULL : slot_of(p, got);
		if (s && which >= 0 && optarg && optarg == arg)
			arg = argv[optind - 2];
		if (!s || (which >= 0 && !exact(s, arg)))
			return unknown(p, arg, err);
		if (!take(p, s, optarg, err))
			return false;
	}
}

bool opt_parse(const struct opt *opts, const struct opt *globals, int argc, char **argv, void *req,
	void *global_req, struct arena *a, struct strs *ret_args, bool *ret_help, struct err *err)
{
	struct parser p = { .a = a };
	add_table(&p, opts, req);
	add_table(&p, globals, global_req);
	if (!run_getopt(&p, argc, argv, err))
		return false;
	*ret_help = p.help;
	for (int i = optind; !p.help && i < argc; i++)
		strs_push(a, ret_args, str_of(argv[i]));
	for (size_t i = 0; !p.help && i < p.slots.n; i++)
		if ((p.slots.v[i].opt->flags & OPT_REQUIRED) && !p.slots.v[i].seen)
			return err_set(err, EK_USAGE, "required flag --%s is not set",
				p.slots.v[i].opt->name);
	return true;
}

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

static bool no_such_cmd(const struct prog *prog, const char *name, struct err *err)
{
	const char *names[128];
	size_t n = 0;
	for (const struct cmd *c = prog->cmds; c->name && n < countof(names); c++)
		if (!c->hidden)
			names[n++] = c->name;
	const char *near = match_nearest(str_of(name), names, n);
	(void)err_set(err, EK_USAGE, "unknown command \"%s\" for \"%s\"", name, prog->name);
	if (near)
		return err_hint(err, "did you mean '%s %s'?", prog->name, near);
	return err_hint(err, "'%s --help' lists the commands", prog->name);
}

static bool count_ok(const struct cmd *c, size_t n, struct err *err)
{
	if ((int)n >= c->min_args && (c->max_args < 0 || (int)n <= c->max_args))
		return true;
	const char *args = c->args ? c->args : "";
	if (c->min_args == c->max_args)
		return err_set(err, EK_USAGE, "accepts %d arg(s)%s%s%s, received %zu", c->min_args,
			*args ? " (" : "", args, *args ? ")" : "", n);
	if ((int)n < c->min_args)
		return err_set(err, EK_USAGE, "requires at least %d arg(s) (%s), received %zu",
			c->min_args, args, n);
	return err_set(err, EK_USAGE, "accepts at most %d arg(s) (%s), received %zu", c->max_args,
		args, n);
}

static bool run_cmd(const struct prog *prog, const struct cmd *c, int argc, char **argv,
	struct arena *a, struct err *err)
{
	void *req = arena_alloc(a, c->req_size ? c->req_size : 1);
	struct strs args = { 0 };
	bool help = false;
	if (!opt_parse(c->opts, prog->globals, argc, argv, req, prog->global_req, a, &args, &help,
			err))
		return false;
	if (help) {
		opt_help_cmd(prog, c);
		return true;
	}
	if (!count_ok(c, args.n, err))
		return false;
	return (!prog->setup || prog->setup(prog->global_req, err)) && c->run(req, &args, a, err);
}

static bool builtin(const struct prog *prog, int argc, char **argv, bool *ret_done, struct err *err)
{
	*ret_done = true;
	if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
		(strcmp(argv[0], "help") == 0 && argc == 1)) {
		opt_help_prog(prog);
		return true;
	}
	if (strcmp(argv[0], "help") == 0) {
		int words;
		const struct cmd *c = find_cmd(prog, argc - 1, argv + 1, &words);
		if (!c)
			return no_such_cmd(prog, argv[1], err);
		opt_help_cmd(prog, c);
		return true;
	}
	if (strcmp(argv[0], "completion") == 0)
		return opt_completion(prog, argc > 1 ? argv[1] : NULL, err);
	*ret_done = false;
	return true;
}

/* Global options may stand before the command: they are moved behind it. */
static int skip_globals(const struct prog *prog, int argc, char **argv)
{
	int i = 1;
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			break;
		bool takes_next = false;
		for (const struct opt *o = prog->globals; o && o->name; o++) {
			struct str arg = str_of(argv[i]), name, value;
			bool has_value = str_cut(arg, '=', &name, &value);
			bool is_long = str_skip(&name, S("--")) && str_is(name, o->name);
			bool is_short = arg.n == 2 && o->letter && arg.p[1] == o->letter;
			takes_next |= o->type != OPT_BOOL && ((is_long && !has_value) || is_short);
		}
		i += takes_next;
	}
	return i < argc ? i : argc;
}

static bool dispatch(const struct prog *prog, int argc, char **argv, struct arena *a,
	struct err *err)
{
	int at = skip_globals(prog, argc, argv), words = 0;
	bool done;
	if (!builtin(prog, argc - at, argv + at, &done, err))
		return false;
	if (done)
		return true;
	const struct cmd *c = find_cmd(prog, argc - at, argv + at, &words);
	if (!c)
		return no_such_cmd(prog, argv[at], err);
	/* program name, then the globals, then what follows the command */
	char **rest = arena_array(a, char *, (size_t)argc + 1);
	int n = 0;
	for (int i = 0; i < at; i++)
		rest[n++] = argv[i];
	for (int i = at + words; i < argc; i++)
		rest[n++] = argv[i];
	return run_cmd(prog, c, n, rest, a, err);
}

int opt_main(const struct prog *prog, int argc, char **argv)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	bool ok = dispatch(prog, argc, argv, &a, &err);
	if (!ok)
		log_error("%s", err.msg ? err.msg : "failed");
	if (ok && fflush(stdout) != 0) {
		log_error("cannot write to standard output");
		ok = false;
	}
	return ok ? 0 : 1;
}
