#include "shared/base/opt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "shared/base/buf.h"

struct request {
	bool verbose, all;
	const char *arch, *out;
	struct strs list, keys;
	int64_t jobs, wait, limit;
};
#define AT(field) offsetof(struct request, field)

static const struct opt opts[] = {
	{"verbose", 'v', OPT_BOOL, AT(verbose), NULL, NULL, "say more", 0},
	{"all", 'a', OPT_BOOL, AT(all), "true", NULL, "all of them", 0},
	{"arch", 0, OPT_STR, AT(arch), "host", "ARCH", "architecture", 0},
	{"architectures", 0, OPT_LIST, AT(list), "x,y", "LIST", "more of them", 0},
	{"key", 'k', OPT_LIST, AT(keys), NULL, "KEY", "keys", 0},
	{"jobs", 'j', OPT_INT, AT(jobs), "4", "N", "how many", 0},
	{"wait", 0, OPT_DURATION, AT(wait), "1m", "TIME", "how long", 0},
	{"limit", 0, OPT_SIZE, AT(limit), "-1", "SIZE", "how much", 0},
	{0},
};

struct global {
	const char *out;
	bool quiet;
};
static const struct opt globals[] = {
	{"out", 'o', OPT_STR, offsetof(struct global, out), NULL, "FILE", "output", 0},
	{"quiet", 'q', OPT_BOOL, offsetof(struct global, quiet), NULL, NULL, "say less", 0},
	{0},
};

static void add_list(struct buf *b, const char *name, const struct strs *list)
{
	buf_printf(b, " %s=", name);
	for (size_t i = 0; i < list->n; i++)
		buf_printf(b, "%s%.*s", i ? "|" : "", STR_ARG(list->v[i]));
}

/* Splits line at blanks ('_' standing for a blank in a word), parses, and describes what differs
 * from the defaults, or the error. */
static void check(const char *line, const char *want)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf got = BUF_INIT(4096);
	char *argv[32] = {(char *)"prog"};
	int argc = 1;
	struct str rest = str_of(line), word;
	while (str_word(&rest, &word)) {
		argv[argc] = arena_strndup(&a, word.p, word.n);
		for (char *p = argv[argc]; *p; p++)
			if (*p == '_')
				*p = ' ';
		argc++;
	}
	struct request r = {0};
	struct global g = {0};
	struct strs args = {0};
	bool help = false;
	if (!opt_parse(opts, globals, argc, argv, &r, &g, &a, &args, &help, &err)) {
		assert_int_equal(err.kind, EK_USAGE);
		assert_int_equal(args.n, 0);
		assert_string_equal(err.msg, want);
		return;
	}
	buf_adds(&got, help ? " help" : "");
	buf_adds(&got, r.verbose ? " verbose" : "");
	buf_adds(&got, r.all ? "" : " !all");
	buf_adds(&got, g.quiet ? " quiet" : "");
	if (strcmp(r.arch, "host") != 0)
		buf_printf(&got, " arch=%s", r.arch);
	if (g.out)
		buf_printf(&got, " out=%s", g.out);
	if (r.list.n != 2 || !str_is(r.list.v[0], "x"))
		add_list(&got, "list", &r.list);
	if (r.keys.n)
		add_list(&got, "keys", &r.keys);
	if (r.jobs != 4)
		buf_printf(&got, " jobs=%lld", (long long)r.jobs);
	if (r.wait != 60000000000)
		buf_printf(&got, " wait=%lld", (long long)r.wait);
	if (r.limit != -1)
		buf_printf(&got, " limit=%lld", (long long)r.limit);
	if (args.n)
		add_list(&got, "args", &args);
	buf_add(&got, "", 0);
	if (strcmp(got.p, want) != 0)
		fail_msg("'%s' gave '%s', not '%s'", line, got.p, want);
}

static const struct {
	const char *line, *want;
} cases[] = {
	{"", ""},
	{"one two", " args=one|two"},
	{"--verbose one", " verbose args=one"},
	{"one --verbose two -q three", " verbose quiet args=one|two|three"},
	{"--verbose=false --all=false", " !all"},
	{"--verbose=T", " verbose"},
	{"--verbose false", " verbose args=false"},
	{"-v=false", ""},
	{"-qv=false", " quiet"},
	{"-va=0", " verbose !all"},
	{"-vq", " verbose quiet"},
	{"-v -v=false -v", " verbose"},
	{"--arch a", " arch=a"},
	{"--arch=a", " arch=a"},
	{"--arch= b", " arch= args=b"},
	{"--arch=a=b", " arch=a=b"},
	{"--arch --verbose", " arch=--verbose"},
	{"--arch a --arch b", " arch=b"},
	{"-o f", " out=f"},
	{"-of", " out=f"},
	{"-o=f", " out=f"},
	{"-o =f", " out==f"},
	{"-vqof x", " verbose quiet out=f args=x"},
	{"-vo f x", " verbose out=f args=x"},
	{"-j8", " jobs=8"},
	{"-j -3", " jobs=-3"},
	{"--jobs=+9", " jobs=9"},
	{"--wait 1h30m", " wait=5400000000000"},
	{"--limit 300MiB", " limit=314572800"},
	{"--limit=-1", ""},
	{"--limit 0", " limit=0"},
	{"--architectures a,b --architectures c", " list=a|b|c"},
	{"--architectures=", " list="},
	{"--architectures a,", " list=a|"},
	{"--architectures ,", " list=|"},
	{"-k \"a,b\",c -kd", " keys=a,b|c|d"},
	{"-k \"a\"\"b\"", " keys=a\"b"},
	{"-k \"\"", " keys="},
	{"-k a\"b", " keys=a\"b"},
	{"-- --verbose -o", " args=--verbose|-o"},
	{"a -- b -- c", " args=a|b|--|c"},
	{"--arch -- x", " arch=-- args=x"},
	{"- x", " args=-|x"},
	{"a_b", " args=a b"},
	{"-h", " help"},
	{"--help", " help"},
	{"-vh x", " help verbose"},
	{"x --help --bogus", " help args=x"},
	{"--bogus", "unknown flag '--bogus'\nhint: --help lists the flags"},
	{"--bogus=3", "unknown flag '--bogus'\nhint: --help lists the flags"},
	{"--verbos", "unknown flag '--verbos'\nhint: did you mean '--verbose'?"},
	{"--architecture x",
		"unknown flag '--architecture'\nhint: did you mean '--architectures'?"},
	{"--arhc=x", "unknown flag '--arhc'\nhint: did you mean '--arch'?"},
	{"--ver x", "unknown flag '--ver'\nhint: --help lists the flags"},
	{"--architecture", "unknown flag '--architecture'\nhint: did you mean '--architectures'?"},
	{"-x", "unknown flag '-x' in '-x'\nhint: --help lists the flags"},
	{"-vxq", "unknown flag '-x' in '-vxq'\nhint: --help lists the flags"},
	{"-limit 3", "unknown flag '-l' in '-limit'\nhint: did you mean '--limit'?"},
	{"--arch", "flag '--arch' needs an argument"},
	{"x -vo", "flag '-o' needs an argument"},
	{"--verbose=maybe", "invalid value 'maybe' for '--verbose': expected true or false"},
	{"-v=maybe", "invalid value 'maybe' for '--verbose': expected true or false"},
	{"--verbose=", "invalid value '' for '--verbose': expected true or false"},
	{"-j many", "invalid value 'many' for '--jobs': expected an integer"},
	{"--wait 5", "invalid value '5' for '--wait': expected a duration such as 90s or 1h30m"},
	{"--limit -2", "invalid value '-2' for '--limit': expected a size such as 300MiB"},
	{"--limit 9E", "invalid value '9E' for '--limit': expected a size such as 300MiB"},
	{"-k \"a", "invalid value '\"a' for '--key': expected a comma-separated list"},
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(cases); i++)
		check(cases[i].line, cases[i].want);
}

static void test_posixly_correct(void **state)
{
	(void)state;
	setenv("POSIXLY_CORRECT", "1", 1);
	check("one -v two", " verbose args=one|two");
	unsetenv("POSIXLY_CORRECT");
}

static void test_required(void **state)
{
	(void)state;
	static const struct opt required[] = {
		{"name", 'h', OPT_STR, 0, "default", "NAME", "a name", OPT_REQUIRED},
		{0},
	};
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	char *none[] = {(char *)"prog", (char *)"x", NULL};
	char *given[] = {(char *)"prog", (char *)"-hx", NULL};
	const char *name = NULL;
	struct strs args = {0};
	bool help = false;
	assert_false(opt_parse(required, NULL, 2, none, &name, NULL, &a, &args, &help, &err));
	assert_string_equal(err.msg, "flag '--name' is required");
	assert_int_equal(args.n, 0);
	/* a letter of the table wins over the built-in -h */
	assert_true(opt_parse(required, NULL, 2, given, &name, NULL, &a, &args, &help, &err));
	assert_string_equal(name, "x");
	assert_false(help);
	assert_true(opt_parse(NULL, NULL, 0, none, NULL, NULL, &a, &args, &help, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_posixly_correct),
		cmocka_unit_test(test_required),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
