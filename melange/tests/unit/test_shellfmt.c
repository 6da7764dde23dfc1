#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "melange/plan/shellfmt.h"
#include "shared/base/buf.h"

static const struct layout_case {
	const char *text, *want;
} layouts[] = {
	/* statements and blank lines */
	{ "", "" },
	{ "# only a comment\n", "" },
	{ "a;b ;  c\n\n\nd", "a\nb\nc\nd\n" },
	{ "#!/bin/sh\n# x\n\na\n", "#!/bin/sh\na\n" },
	{ "a   b\t c # d\n", "a b c\n" },
	{ "a & b\n", "a &\nb\n" },
	{ "{ a;}\n", "{ a; }\n" },
	{ "{ a; b; }\n", "{\n\ta\n\tb\n}\n" },
	{ "{\na\n\n\n# x\n\nb\n}\n", "{\n\ta\n\n\tb\n}\n" },
	{ "( a )\n", "(a)\n" },
	{ "( (a) )\n", "( (a) )\n" },
	{ "(\ncd x\na) &\n", "(\n\tcd x\n\ta\n) &\n" },
	{ "! a|b\n", "! a | b\n" },
	{ "time  -p a\n", "time -p a\n" },
	/* continued lines */
	{ "a \\\n  b \\\n  c\n", "a \\\n\tb \\\n\tc\n" },
	{ "a && \\\n b\n", "a &&\n\tb\n" },
	{ "a \\\n  && b \\\n  || c\n", "a &&\n\tb ||\n\tc\n" },
	{ "a |\n\n# x\nb|& c\n", "a |\n\tb |& c\n" },
	{ "fo\\\no bar\n", "foo bar\n" },
	{ "a # b \\\nc\n", "a\nc\n" },
	/* compounds */
	{ "if a\nthen b\nfi\n", "if a; then\n\tb\nfi\n" },
	{ "if a;then b;else c;fi\n", "if a; then b; else c; fi\n" },
	{ "if a; b; then c; fi >f\n", "if\n\ta\n\tb\nthen c; fi >f\n" },
	{ "if a; then\nb\nelif c; then d\nelse\ne\nfi\n",
		"if a; then\n\tb\nelif c; then\n\td\nelse\n\te\nfi\n" },
	{ "while a;do b;done <f\n", "while a; do b; done <f\n" },
	{ "until a\ndo\nb; c\ndone\n", "until a; do\n\tb\n\tc\ndone\n" },
	{ "for x in a  \"$b\"\ndo c\ndone\n", "for x in a \"$b\"; do\n\tc\ndone\n" },
	{ "for x do a; done\n", "for x; do a; done\n" },
	{ "for ((i=0;i<3;i++)); do a; done\n", "for ((i = 0; i < 3; i++)); do a; done\n" },
	{ "for ((;;)); do a; done\n", "for (( ; ; )); do a; done\n" },
	{ "case $x in\n (a|b) c;;\nd)\ne; f ;;\n*) g\nesac\n",
		"case $x in\na | b) c ;;\nd)\n\te\n\tf\n\t;;\n*) g ;;\nesac\n" },
	{ "case $x in a) b;; esac\n", "case $x in a) b ;; esac\n" },
	{ "f ()\n{\na\n}\n", "f() {\n\ta\n}\n" },
	{ "function f { a; }\n", "function f { a; }\n" },
	{ "[[ a = b&&( ! -f c ) ]]\n", "[[ a = b && (! -f c) ]]\n" },
	{ "[[ a ||\nb ]]\n", "[[ a ||\n\tb ]]\n" },
	{ "[[ $x =~ ^(a|b c)$ ]]\n", "[[ $x =~ ^(a|b c)$ ]]\n" },
	{ "(( i++ ))\n", "((i++))\n" },
	/* words */
	{ "echo $((1+2*-x)) $[ y ] ${z:1 + 2} ${z: -1}\n",
		"echo $((1 + 2 * -x)) $((y)) ${z:1+2} ${z: -1}\n" },
	{ "echo ${z/a} ${z//\\//_} \"${z:-\"a b\"}\" ${#z} ${!z}\n",
		"echo ${z/a/} ${z//\\//_} \"${z:-\"a b\"}\" ${#z} ${!z}\n" },
	{ "x=`a \\`b\\` \"c\"`\n", "x=$(a $(b) \"c\")\n" },
	{ "x=\"`a \\\"b\\\"`\"\n", "x=\"$(a \"b\")\"\n" },
	{ "x=$( a; b )\n", "x=$(\n\ta\n\tb\n)\n" },
	{ "echo \"a\n  b \\\n c\" 'd\n e'  $'f\\''\n", "echo \"a\n  b \\\n c\" 'd\n e' $'f\\''\n" },
	{ "a=( 1 2\n# c\n3 )\n", "a=(1 2\n\n\t3)\n" },
	{ "a=(\n1\n)\n", "a=(\n\t1\n)\n" },
	{ "export A=`b  c` D\n", "export A=$(b c) D\n" },
	{ "echo @(a|b) {1..3} a#b\n", "echo @(a|b) {1..3} a#b\n" },
	/* redirections */
	{ "a > b 2>& 1 < c\n", "a >b 2>&1 <c\n" },
	{ ">f a >g b\n", ">f a >g b\n" },
	{ "a >f b >g c\n", "a >f b c >g\n" },
	{ "diff <( a ) <(b)\n", "diff <(a) <(b)\n" },
	{ "a < <( b )\n", "a < <(b)\n" },
	{ "a <<<  \"$b\"\n", "a <<<\"$b\"\n" },
	/* here-documents */
	{ "cat << E  > f\n  # kept `a  b`\n  ${x/a}\nE\nb\n",
		"cat <<E >f\n  # kept $(a b)\n  ${x/a/}\nE\nb\n" },
	{ "cat <<'E'\n  `a  b` # x\nE\n", "cat <<'E'\n  `a  b` # x\nE\n" },
	{ "a <<E <<F\nx\nE\ny\nF\n", "a <<E <<F\nx\nE\ny\nF\n" },
	{ "if a; then\ncat <<-E\n\tx\n\t  y\n\n\tE\nfi\n",
		"if a; then\n\tcat <<-E\n\t\tx\n\t\t  y\n\n\tE\nfi\n" },
	{ "a <<E && b\nx\nE\n", "a <<E && b\nx\nE\n" },
};

static void check_layout(const struct layout_case *c)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str got, again;
	if (!shellfmt(str_of(c->text), &a, &got))
		fail_msg("refused:\n%s", c->text);
	assert_string_equal(got.p, c->want);
	assert_true(shellfmt(got, &a, &again));
	assert_string_equal(again.p, got.p);
}

static void test_layouts(void **state)
{
	(void)state;
	for (size_t k = 0; k < countof(layouts); k++)
		check_layout(&layouts[k]);
}

static const char *const refusals[] = {
	"'a\n", "\"a\n", "echo $(a\n", "echo ${a\n", "echo `a\n", "cat <<E\nx\n",
	"if a; then fi\n", "if a; then b\n", "a )\n", "done\n", "{ a }\n", "a ;; b\n",
	"for x in a; b\n", "case x in a) b\n", "a &&\n", "| a\n", "a ( b )\n", "! ! a\n",
	"a\rb\n", "a\001b\n", "$((1 +))\n", "(( a b ))\n", "[[ a b ]]\n", "[[ ]]\n",
	/* another command stands before the body */
	"cat <<E; b\nx\nE\n",
	/* a continued line's tabs belong to it */
	"if a; then\ncat <<-E\n\tx \\\n\ty\n\tE\nfi\n",
	"exec {fd}>f\n", "let x=1\n", "coproc a\n", "a=(1) b\n", "echo \"$x\"#y\n",
	"f() { a; } |\nb\n",
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t k = 0; k < countof(refusals); k++) {
		auto_arena struct arena a = ARENA_INIT;
		struct str got = S("untouched");
		if (shellfmt(str_of(refusals[k]), &a, &got))
			fail_msg("not refused:\n%s", refusals[k]);
		assert_string_equal(got.p, "untouched");
	}
}

/* `open` n times, the middle, `close` n times. */
static struct str nest(struct buf *b, const char *open, const char *middle, const char *close,
	size_t n)
{
	buf_clear(b);
	for (size_t k = 0; k < n; k++)
		buf_adds(b, open);
	buf_adds(b, middle);
	for (size_t k = 0; k < n; k++)
		buf_adds(b, close);
	return buf_str(b);
}

/* Deep or long texts end soon, one way or the other; little depth is understood. */
static void test_hostile(void **state)
{
	static const struct {
		const char *open, *middle, *close;
	} shapes[] = {
		{ "( ", "a", " )" }, { "$(", "a", ")" }, { "\"$(", "a", ")\"" },
		{ "{ ", "a", "; }" },
		{ "if a; then ", "b", "; fi" }, { "if a; then b; el", "if a; then b; fi", "" },
		{ "echo $((1", "", "+1))" }, { "a && ", "b", "" }, { "a | ", "b", "" },
		{ "x=$((1+", "1))", "" }, { "((", "(", "" }, { "${a:-", "b", "}" },
		{ "[[ ( ", "a", "" },
		{ "cat <<E$(\n", "", "" }, { "cat <<E\n", "x\nE\n", "" }, { "a[", "", "" },
		{ "`", "", "" }, { "\\`", "", "" }, { "case x in a) ", "b", ";; esac" },
		{ "f() { ", "a", "; }" }, { "((( a ) && ", "", "" }, { "! ", "a", "" },
		{ "<(", "a", ")" }, { "cat <<E; ", "", "" }, { "a\n", "", "" }, { "a=(", "", "" },
	};
	auto_buf struct buf b = BUF_INIT(8u << 20);
	(void)state;
	for (size_t k = 0; k < countof(shapes); k++) {
		auto_arena struct arena a = ARENA_INIT;
		struct str got;
		struct str text = nest(&b, shapes[k].open, shapes[k].middle,
			shapes[k].close, 50000);
		(void)!shellfmt(text, &a, &got);
	}
	auto_arena struct arena a = ARENA_INIT;
	struct str got;
	assert_false(shellfmt(nest(&b, "( ", "a", " )", 5000), &a, &got));
	assert_true(shellfmt(nest(&b, "( ", "a", " )", 10), &a, &got));
	assert_true(shellfmt(nest(&b, "a && ", "b", "", 90), &a, &got));
	assert_true(shellfmt(nest(&b, "a\n", "b", "", 50000), &a, &got));
	assert_int_equal(got.n, 100002);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests_name("shellfmt", tests, NULL, NULL);
}
