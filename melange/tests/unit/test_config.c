#include "melange/config/cond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "melange/config/capability.h"
#include "melange/config/load.h"
#include "melange/config/transform.h"

/* A text in a file, so that it has a place. */
struct fixture {
	struct arena a;
	struct ydoc doc;
	struct diags diags;
	struct scope scope;
	struct subst x;
};

static struct ystr set_up(struct fixture *f, const char *yaml, enum subst_mode mode)
{
	*f = (struct fixture){ .a = ARENA_INIT };
	diags_init(&f->diags, &f->a, &f->doc);
	assert_true(ydoc_parse_into(str_of(yaml), "f", &f->a, &f->doc, &f->diags));
	scope_init(&f->scope, NULL, &f->a);
	scope_set_text(&f->scope, "vars.a", S("long value"));
	scope_set_text(&f->scope, "vars.b", S("${{vars.a}}"));
	scope_set_text(&f->scope, "vars.empty", S(""));
	scope_set_text(&f->scope, "vars.quote", S("'\"\\"));
	scope_set_text(&f->scope, "vars.loop", S("${{vars.loop}}"));
	f->x = (struct subst){ .scope = &f->scope, .arena = &f->a, .diags = &f->diags,
		.mode = mode };
	const struct ynode *n = ynode_get(f->doc.root, "k");
	return (struct ystr){ n->text, n };
}

static void tear_down(struct fixture *f)
{
	scope_release(&f->scope);
	arena_release(&f->a);
}

/* Each text in each way of substituting; "" = an error. */
static void substitution(unused_arg void **state)
{
	static const struct {
		const char *yaml, *lax, *lenient, *strict, *cond;
	} cases[] = {
		{ "k: x", "x", "x", "x", "x" },
		{ "k: ${{vars.a}}!", "long value!", "long value!", "long value!", "\"long value\"!" },
		{ "k: $${{vars.b}}", "$long value", "$long value", "$long value", "$\"long value\"" },
		{ "k: ${{ vars.a }}", "${{ vars.a }}", "long value", "long value", "\"long value\"" },
		{ "k: $<<vars.a>>", "long value", "long value", "long value", "\"long value\"" },
		{ "k: \"'${{vars.quote}}'\"", "''\"\\'", "''\"\\'", "''\"\\'", "'\\'\"\\\\'" },
		{ "k: ${{none}}", "${{none}}", "${{none}}", "", "" },
		{ "k: ${{vars.a}", "${{vars.a}", "${{vars.a}", "", "" },
		{ "k: ${{ }}", "${{ }}", "${{ }}", "", "" },
		{ "k: ${{${{vars.a}}}}", "${{long value}}", "${{long value}}", "", "" },
		{ "k: $<<EOF $<<<x $<<other.x>>", "$<<EOF $<<<x $<<other.x>>",
			"$<<EOF $<<<x $<<other.x>>", "$<<EOF $<<<x $<<other.x>>",
			"$<<EOF $<<<x $<<other.x>>" },
		{ "k: ${{vars.loop}}", "", "", "", "" },
	};
	for (size_t i = 0; i < countof(cases); i++) {
		const char *const want[] = { cases[i].lax, cases[i].lenient, cases[i].strict,
			cases[i].cond };
		for (enum subst_mode mode = SUBST_LAX; mode <= SUBST_COND; mode++) {
			static const size_t column[] = { [SUBST_LAX] = 0, [SUBST_TRY] = 1,
				[SUBST_STRICT] = 2, [SUBST_COND] = 3 };
			struct fixture f;
			struct ystr in = set_up(&f, cases[i].yaml, mode), out = subst(&f.x, in);
			const char *expected = want[column[mode]];
			if ((f.diags.list.n > 0) != (*expected == 0))
				fail_msg("'%s' mode %d: %zu problems", cases[i].yaml, mode,
					f.diags.list.n);
			if (*expected && !str_is(out.s, expected))
				fail_msg("'%s' mode %d: '%.*s'", cases[i].yaml, mode, STR_ARG(out.s));
			tear_down(&f);
		}
	}
}

/* '!' stands at the same place in the file however the text around it was substituted. */
static void places(unused_arg void **state)
{
	static const struct {
		const char *yaml;
		int line, col;
	} cases[] = {
		{ "k: a!", 1, 5 },
		{ "k: ${{vars.a}}!", 1, 15 },
		{ "k: x${{vars.empty}}y${{ vars.b }} z!", 1, 36 },
		{ "k: \"\\u00e4 ${{vars.a}} !\"", 1, 24 },
		{ "k: |\n  one ${{vars.a}}\n  two ${{vars.b}} !\n", 3, 19 },
		{ "k: >\n  ${{vars.a}}\n  !\n", 1, 4 },
		{ "k: ${{none}} !", 1, 14 },
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct fixture f;
		struct ystr in = set_up(&f, cases[i].yaml, SUBST_TRY), out = subst(&f.x, in);
		struct pos pos = subst_pos(&f.diags, out, (size_t)str_chr(out.s, '!'));
		if (pos.line != cases[i].line || pos.col != cases[i].col)
			fail_msg("'%s': %d:%d", cases[i].yaml, pos.line, pos.col);
		tear_down(&f);
	}
}

static void conditions(unused_arg void **state)
{
	static const struct {
		const char *text;
		int want;	/* -1: an error */
		int col;
	} cases[] = {
		{ "", true, 0 },
		{ "'a' == \"a\"", true, 0 },
		{ "\t'a'!='a' ", false, 0 },
		{ "'a\\'\\\"\\\\\\n\\t\\x' == \"a'\\\"\\\\\\n\\t\\\\x\"", true, 0 },
		{ "'a'=='a' || 'b'=='b' && 'c'=='d'", false, 0 },
		{ "'a'=='a' || ('b'=='b' && 'c'=='d')", true, 0 },
		{ "((('a'=='a')))&&('b'!='a')", true, 0 },
		{ "${{vars.a}} == 'long value'", true, 0 },
		{ "'${{vars.a}}' == $<<vars.b>>", true, 0 },
		{ "'${{vars.quote}}' == ${{vars.quote}}", true, 0 },
		{ "${{vars.empty}} == ''", true, 0 },
		{ "'\\${{vars.a}}' == '\\\\long value'", true, 0 },
		{ "'a' == 'b' && ${{vars.none}} == 'c'", -1, 18 },
		{ " ", -1, 0 },
		{ "true", -1, 4 },
		{ "'a'", -1, 7 },
		{ "'a' =  'a'", -1, 8 },
		{ "'a' == 'a' 'b'", -1, 15 },
		{ "('a' == 'a'", -1, 15 },
		{ "'a' == 'a' &&", -1, 17 },
		{ "'a' == 'a", -1, 11 },
		{ "'a' == 'a')", -1, 14 },
		{ "! 'a' == 'a'", -1, 4 },
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct fixture f;
		struct ystr in = set_up(&f, "k: x", SUBST_STRICT);
		auto_arena struct arena a = ARENA_INIT;
		/* as if it stood there plainly */
		f.doc.src = arena_strf(&a, "k: %s\n", cases[i].text);
		struct ynode node = *in.at;
		node.text = in.s = str_of(cases[i].text);
		node.end = node.off + node.text.n;
		in.at = &node;
		bool value = false, ok = cond_eval(&f.x, in, &value);
		if (ok != (cases[i].want >= 0) || (ok && value != cases[i].want))
			fail_msg("'%s': %d %d", cases[i].text, ok, value);
		if (!ok && cases[i].col && f.diags.list.v[0].pos.col != cases[i].col)
			fail_msg("'%s': %s at %d", cases[i].text, f.diags.list.v[0].msg,
				f.diags.list.v[0].pos.col);
		tear_down(&f);
	}
}

/* What RE2 takes is taken, what only PCRE2 takes is not. */
static void expressions(unused_arg void **state)
{
	static const char *const good[] = { "", "a|b", "(?:a)(b)(?P<n>c)(?<m>d)", "(?i)a(?s-i:b)",
		"[[:digit:]]", "[^]a]", "[]a]", "[a[b]", "\\pL\\p{Greek}\\x41\\x{263a}\\101", "\\Qa*b",
		"a{2}", "a{2,}", "a{2,3}?", "a{,3}", "a{x}", "\\a\\f\\t\\n\\r\\v", "\\A\\z\\b\\B",
		"x+?", "(?U)a+", "\\.\\-\\/", "[\\d\\s-]", "\xc3\xa4+" };
	static const char *const bad[] = { "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "(?#c)",
		"(?R)", "(?1)", "(?(1)a)", "(?P=n)", "(?P>n)", "(*FAIL)", "(?C1)", "(?|a)", "\\1", "\\g1",
		"\\k<n>", "\\K", "\\R", "\\X", "\\h", "\\C", "\\G", "\\Z", "\\e", "\\cA", "a**", "a*+",
		"a++", "a{2}{3}", "*", "+a", "(|*)", "a|*", "a{1001}", "(", ")", "[a", "[z-a]", "\\",
		"(?P<>a)", "(?P<n", "[[:nope:]]", "\\p{Nope}", "(?z)", "(?)" };
	for (size_t i = 0; i < countof(good) + countof(bad); i++) {
		bool want = i < countof(good);
		const char *re = want ? good[i] : bad[i - countof(good)], *what = "";
		auto_arena struct arena a = ARENA_INIT;
		struct str out;
		if (transform_replace(S("x"), str_of(re), S(""), &a, &out, &what) != want)
			fail_msg("'%s' is %s: %s", re, want ? "refused" : "taken", what);
		assert_true(want || *what);
	}
}

static void capabilities(unused_arg void **state)
{
	assert_true(capability_known(S("CAP_NET_RAW")));
	assert_true(capability_known(S("cap_sys_admin")));
	assert_true(capability_known(S("Chown")));
	assert_false(capability_known(S("CAP_FOO")));
	assert_false(capability_known(S("cap_")));
	assert_false(capability_known(S("")));
}

/* A file that cannot be loaded leaves the result alone, and everything wrong is told. */
static void loading(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	const struct load_opts strict = { 0 }, any = { .any_version = true };
	struct config c = { .package.epoch = 7 };
	struct str bad = S("package: {name: a, version: x-y}\n");
	assert_false(config_parse(bad, "f", &strict, &a, &c, &err));
	assert_int_equal(err.kind, EK_SOURCE);
	assert_int_equal(c.package.epoch, 7);
	assert_true(config_parse(bad, "f", &any, &a, &c, &err));
	assert_true(str_is(config_full_name(&c, &a), "a-x-y-r0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(substitution),
		cmocka_unit_test(places),
		cmocka_unit_test(conditions),
		cmocka_unit_test(expressions),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(loading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
