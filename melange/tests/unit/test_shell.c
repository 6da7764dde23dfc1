#include "melange/plan/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* What goes is comments and blank lines, nothing else. */
static void stripped(unused_arg void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "# foo\n", "" },
		{ "\n \n\t\n", "" },
		{ "#!/bin/sh", "" },
		{ "#!/bin/sh\n", "#!/bin/sh\n" },
		{ "#!/bin/bash\n# foo\nfoo\n# bar\nbaz\n", "#!/bin/bash\nfoo\nbaz\n" },
		{ "a # b\n\n\n  c", "a\n  c\n" },
		{ "a#b c\\# d '#' \"#\" e", "a#b c\\# d '#' \"#\" e\n" },
		{ "echo ${x#y} ${#x} $# ${x##*/} $((16#ff))", "echo ${x#y} ${#x} $# ${x##*/} $((16#ff))\n" },
		{ "echo $(a # b\n) `c # d\n`", "echo $(a\n) `c\n`\n" },
		{ "\"a\n# b\n\n\" # c", "\"a\n# b\n\n\"\n" },
		{ "cat <<E # a\n# b\n\nE\nx", "cat <<E\n# b\n\nE\nx\n" },
		{ "cat <<-'E' <<F\n# b\n\tE\n# c\nF\n# d", "cat <<-'E' <<F\n# b\n\tE\n# c\nF\n" },
		{ "cat <<'A B'\n# x\nA B\n", "cat <<'A B'\n# x\nA B\n" },
		{ "echo $((1 << 2)) # x", "echo $((1 << 2))\n" },
		{ "cat <<<\"# x\" # y", "cat <<<\"# x\"\n" },
		{ "case x in\n# a\nx) y ;; # b\n(z) ;;\nesac # c", "case x in\nx) y ;;\n(z) ;;\nesac\n" },
		{ "x=$(case a in b) c ;; esac) # d", "x=$(case a in b) c ;; esac)\n" },
		{ "arr=(1 # one\n2)", "arr=(1\n2)\n" },
		{ "a \\\n  b", "a \\\n  b\n" },
		{ "[[ a =~ ^(b|c)$ && -n x ]] # d\n", "[[ a =~ ^(b|c)$ && -n x ]]\n" },
		{ "test [[ x", "test [[ x\n" },
		{ "echo $'a\\'#b' # c", "echo $'a\\'#b'\n" },
		{ "((x = 16#ff)) # c", "((x = 16#ff))\n" },
		{ "a; # b\n;# c", "a;\n;\n" },
		{ "echo a\\ #b", "echo a\\ #b\n" },
		{ "echo a\\ ", "echo a\\ \n" },
		{ "echo a\\\n#b", "echo a\\\n#b\n" },
		{ "echo a \\\n#b\nc", "echo a \\\n\nc\n" },
		{ "echo $(a)#b `c`#d $((1))#e", "echo $(a)#b `c`#d $((1))#e\n" },
		{ "(a)#b\n((x=1))#c", "(a)\n((x=1))\n" },
		{ "cat <<'  '\n# x\n  ", "cat <<'  '\n# x\n  \n" },
		{ "echo \"${x:-\"#\"}\" # y", "echo \"${x:-\"#\"}\"\n" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct shell_problem bad = { 0 };
		struct str got;

		if (!shell_strip(str_of(cases[i].text), &a, &got, &bad))
			fail_msg("%zu: %s at %zu", i, bad.what, bad.at);
		if (!str_is(got, cases[i].want))
			fail_msg("%zu: got '%.*s'", i, STR_ARG(got));
	}
}

static void unbalanced(unused_arg void **state)
{
	static const struct {
		const char *text, *what;
		size_t at;
	} cases[] = {
		{ "echo 'a", "unterminated single quote", 5 },
		{ "echo \"a $(b) ", "unterminated double quote", 5 },
		{ "a\nb=$(c", "unterminated command substitution", 4 },
		{ "echo `a", "unterminated command substitution", 5 },
		{ "echo ${x", "unterminated ${", 5 },
		{ "echo $((1", "unterminated arithmetic", 5 },
		{ "cat <<E\nx\n", "unterminated here-document", 4 },
		{ "cat <<E; cat <<'F'\nE\n", "unterminated here-document", 13 },
		{ "cat <<\n", "here-document without a delimiter", 4 },
		{ "if [[ uname -m == 'x86_64']]; then\n  x\nfi", "unterminated [[", 3 },
		{ "x=$([[ a ) ", "unterminated [[", 4 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct shell_problem bad = { 0 };
		struct str got;

		if (shell_strip(str_of(cases[i].text), &a, &got, &bad))
			fail_msg("%zu: taken for balanced", i);
		assert_string_equal(bad.what, cases[i].what);
		assert_int_equal(bad.at, cases[i].at);
	}
}

static void names(unused_arg void **state)
{
	assert_true(shell_uses_name(S("echo $INPUT_X"), S("INPUT_X")));
	assert_true(shell_uses_name(S("XINPUT_X ${INPUT_X}"), S("INPUT_X")));
	assert_false(shell_uses_name(S("INPUT_XY AINPUT_X INPUT_X_"), S("INPUT_X")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stripped),
		cmocka_unit_test(unbalanced),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
