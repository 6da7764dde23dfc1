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
	struct strs args;
	const char *attached; /* "false" of "-v=false", which getopt does not know */
	bool help;
};

/* Comma-separated, with CSV quoting: `a,"b,c"` is a and b,c. */
static bool add_items(struct parser *p, struct strs *list, struct str text)
{
	while (text.n) {
		auto_buf struct buf item = BUF_INIT(BUF_NOLIMIT);
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
		*list = (struct strs){0};
	return add_items(p, list, text);
}

static bool store_size(char *field, struct str text)
{
	int64_t n;
	uint64_t u;
	if (str_is(text, "-1"))
		n = -1;
	else if (num_size(text, &u) && u <= INT64_MAX)
		n = (int64_t)u;
	else
		return false;
	*(int64_t *)field = n;
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
		struct slot s = {.opt = opts, .field = (char *)req + opts->offset};
		if (opts->def && !store(p, &s, opts->def))
			BUG("default of --%s", opts->name);
		vec_push(p->a, &p->slots, s);
	}
}

static struct slot *slot_named(struct parser *p, struct str name)
{
	for (size_t i = 0; i < p->slots.n; i++)
		if (str_is(name, p->slots.v[i].opt->name))
			return &p->slots.v[i];
	return NULL;
}

static struct slot *slot_of(struct parser *p, int got)
{
	if (got >= FIRST_LONG)
		return (size_t)(got - FIRST_LONG) < p->slots.n ? &p->slots.v[got - FIRST_LONG]
							       : NULL;
	for (size_t i = 0; i < p->slots.n; i++)
		if (p->slots.v[i].opt->letter == got)
			return &p->slots.v[i];
	return NULL;
}

static bool unknown_long(struct parser *p, struct str name, struct err *err)
{
	const char **names = arena_array(p->a, const char *, p->slots.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < p->slots.n; i++)
		if (!(p->slots.v[i].opt->flags & OPT_HIDDEN))
			names[n++] = p->slots.v[i].opt->name;
	names[n++] = "help";
	(void)err_set(err, EK_USAGE, "unknown flag '--%.*s'", STR_ARG(name));
	const char *near = match_nearest(name, names, n);
	if (near)
		return err_hint(err, "did you mean '--%s'?", near);
	return err_hint(err, "--help lists the flags");
}

static bool unknown_letter(struct parser *p, char letter, const char *arg, struct err *err)
{
	(void)err_set(err, EK_USAGE, "unknown flag '-%c' in '%s'", letter, arg);
	if (slot_named(p, str_of(arg + 1)))
		return err_hint(err, "did you mean '-%s'?", arg);
	return err_hint(err, "--help lists the flags");
}

/* getopt's tables out of ours. The leading '-' has it hand out positional arguments in place, so
 * that neither POSIXLY_CORRECT nor a permuted argv has a say. */
static void getopt_tables(struct parser *p, struct option **ret_long, char **ret_short)
{
	struct option *longs = arena_array(p->a, struct option, p->slots.n + 2);
	char *shorts = arena_alloc(p->a, 2 * p->slots.n + 4), *q = shorts;
	*q++ = '-';
	*q++ = ':';
	for (size_t i = 0; i < p->slots.n; i++) {
		const struct opt *o = p->slots.v[i].opt;
		bool flag = o->type == OPT_BOOL;
		longs[i] = (struct option){o->name, flag ? optional_argument : required_argument,
			NULL, FIRST_LONG + (int)i};
		if (!o->letter)
			continue;
		*q++ = o->letter;
		if (!flag)
			*q++ = ':';
	}
	longs[p->slots.n] =
		(struct option){"help", optional_argument, NULL, FIRST_LONG + (int)p->slots.n};
	if (!slot_of(p, 'h'))
		*q++ = 'h';
	*ret_long = longs;
	*ret_short = shorts;
}

static struct str long_name(const char *arg)
{
	struct str name, value;
	(void)str_cut(str_of(arg + 2), '=', &name, &value);
	return name;
}

static bool is_long(const char *arg)
{
	return arg[0] == '-' && arg[1] == '-';
}

/* Cuts the value off a group of letters whose last is a boolean: "-v=false". */
static void detach_value(struct parser *p, char **arg)
{
	const char *text = *arg;
	if (text[0] != '-' || is_long(text))
		return;
	for (size_t i = 1; text[i]; i++) {
		const struct slot *s = slot_of(p, (unsigned char)text[i]);
		if (!s || s->opt->type != OPT_BOOL)
			return;
		if (text[i + 1] == '=' && text[i + 2]) {
			p->attached = text + i + 2;
			*arg = arena_strndup(p->a, text, i + 1);
			return;
		}
	}
}

static bool take(struct parser *p, struct slot *s, const char *value, struct err *err)
{
	if (!store(p, s, value))
		return err_set(err, EK_USAGE, "invalid value '%s' for '--%s': expected %s", value,
			s->opt->name, type_names[s->opt->type]);
	s->seen = true;
	return true;
}

/* What getopt made of arg. `whole`: nothing is left in the argument; `inside`: a value came from
 * the same argument. */
static bool take_letter(
	struct parser *p, int got, const char *arg, bool whole, bool inside, struct err *err)
{
	struct slot *s = slot_of(p, got == '?' || got == ':' ? optopt : got);
	if (!s && got == 'h') {
		p->help = true;
		return true;
	}
	if (!s)
		return unknown_letter(p, (char)optopt, arg, err);
	if (got == ':')
		return err_set(err, EK_USAGE, "flag '-%c' needs an argument", optopt);
	const char *value = optarg ? optarg : "true";
	if (optarg && inside && value[0] == '=' && value[1])
		value++;
	if (whole && p->attached)
		value = p->attached;
	if (whole)
		p->attached = NULL;
	return take(p, s, value, err);
}

/* getopt_long takes any unique beginning of a name; ours must be exact. */
static bool take_long(struct parser *p, int got, const char *arg, struct err *err)
{
	struct str name = long_name(arg);
	struct slot *s = slot_named(p, name);
	if (!s && str_is(name, "help")) {
		p->help = true;
		return true;
	}
	if (!s)
		return unknown_long(p, name, err);
	if (got == ':')
		return err_set(err, EK_USAGE, "flag '--%s' needs an argument", s->opt->name);
	return take(p, s, optarg ? optarg : "true", err);
}

static bool run_getopt(struct parser *p, int argc, char **argv, struct err *err)
{
	struct option *longs;
	char *shorts;
	getopt_tables(p, &longs, &shorts);
	opterr = 0;
	/* 0 and not 1: getopt starts afresh */
	optind = 0;
	for (int started = 0; !p->help;) {
		int at = optind ? optind : 1;
		if (at < argc && at != started)
			detach_value(p, &argv[at]);
		started = at;
		int got = getopt_long(argc, argv, shorts, longs, NULL);
		if (got == -1)
			break;
		bool ok = true;
		if (got == 1)
			strs_push(p->a, &p->args, str_of(optarg));
		else if (is_long(argv[at]))
			ok = take_long(p, got, argv[at], err);
		else
			ok = take_letter(p, got, argv[at], optind > at, optind == at + 1, err);
		if (!ok)
			return false;
	}
	for (int i = optind; !p->help && i < argc; i++)
		strs_push(p->a, &p->args, str_of(argv[i]));
	return true;
}

bool opt_parse(const struct opt *opts, const struct opt *globals, int argc, char **argv, void *req,
	void *global_req, struct arena *a, struct strs *ret_args, bool *ret_help, struct err *err)
{
	struct parser p = {.a = a};
	add_table(&p, opts, req);
	add_table(&p, globals, global_req);
	char **copy = arena_array(a, char *, (size_t)argc + 1);
	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	if (!run_getopt(&p, argc, copy, err))
		return false;
	for (size_t i = 0; !p.help && i < p.slots.n; i++)
		if ((p.slots.v[i].opt->flags & OPT_REQUIRED) && !p.slots.v[i].seen)
			return err_set(
				err, EK_USAGE, "flag '--%s' is required", p.slots.v[i].opt->name);
	*ret_help = p.help;
	*ret_args = p.args;
	return true;
}
