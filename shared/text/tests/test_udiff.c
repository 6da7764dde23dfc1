#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "shared/base/arena.h"
#include "shared/text/udiff.h"

#define HEAD "diff old new\n--- old\n+++ new\n"
#define NO_END "\\ No newline at end of file\n"

static const struct {
	const char *name, *old, *new, *diff;
} cases[] = {
	{ "equal", "a\nb\n", "a\nb\n", "" },
	{ "both empty", "", "", "" },
	{ "from nothing", "", "a\n", HEAD "@@ -0,0 +1,1 @@\n+a\n" },
	{ "to nothing", "a\n", "", HEAD "@@ -1,1 +0,0 @@\n-a\n" },
	{ "one of one", "a\n", "b\n", HEAD "@@ -1,1 +1,1 @@\n-a\n+b\n" },
	{ "three lines of context", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
		HEAD "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n" },
	{ "near changes share a hunk", "1\n2\n3\n4\n5\n6\n7\n", "X\n2\n3\n4\n5\n6\nY\n",
		HEAD "@@ -1,7 +1,7 @@\n-1\n+X\n 2\n 3\n 4\n 5\n 6\n-7\n+Y\n" },
	{ "far ones do not", "1\n2\n3\n4\n5\n6\n7\n8\n", "X\n2\n3\n4\n5\n6\n7\nY\n",
		HEAD "@@ -1,4 +1,4 @@\n-1\n+X\n 2\n 3\n 4\n@@ -5,4 +5,4 @@\n 5\n 6\n 7\n-8\n+Y\n" },
	{ "inserted", "1\n2\n3\n4\n", "1\n2\nX\n3\n4\n",
		HEAD "@@ -1,4 +1,5 @@\n 1\n 2\n+X\n 3\n 4\n" },
	{ "removed", "1\n2\n3\n4\n", "1\n2\n4\n", HEAD "@@ -1,4 +1,3 @@\n 1\n 2\n-3\n 4\n" },
	{ "moved", "a\nb\nc\nd\n", "d\na\nb\nc\n", HEAD "@@ -1,4 +1,4 @@\n+d\n a\n b\n c\n-d\n" },
	{ "lines that repeat", "x\nx\nx\n", "x\nx\n", HEAD "@@ -1,3 +1,2 @@\n x\n x\n-x\n" },
	{ "no end of line", "a\nb", "a\nb\n",
		HEAD "@@ -1,2 +1,2 @@\n a\n-b\n" NO_END "+b\n" },
	{ "no end of line in common", "1\nb", "2\nb",
		HEAD "@@ -1,2 +1,2 @@\n-1\n+2\n b\n" NO_END },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_buf struct buf out = BUF_INIT(1 << 20);
		udiff("old", str_of(cases[i].old), "new", str_of(cases[i].new), &out);
		if (!str_is(buf_str(&out), cases[i].diff))
			fail_msg("%s: got\n%s", cases[i].name, out.p ? out.p : "");
	}
}

/* The old text from the hunks and what lies between them is the old text, the new one likewise. */
static size_t number(const char **p)
{
	size_t n = 0;
	while (**p && (**p < '0' || **p > '9'))
		(*p)++;
	for (; **p >= '0' && **p <= '9'; (*p)++)
		n = n * 10 + (size_t)(**p - '0');
	return n;
}

/* Lines of two characters: number n is at 2 * n. */
static void apply(const struct buf *old, const struct buf *diff, struct buf *ret)
{
	struct str rest = buf_str(diff), line;
	size_t at = 0;
	for (int i = 0; i < 3; i++)
		assert_true(str_next(&rest, '\n', &line));
	while (rest.n && str_next(&rest, '\n', &line) && line.n) {
		if (line.p[0] == '@') {
			const char *p = line.p;
			size_t from = number(&p), count = number(&p);
			from -= count > 0;
			for (; at < from; at++)
				buf_add(ret, old->p + 2 * at, 2);
			continue;
		}
		assert_int_equal(line.n, 2);
		if (line.p[0] != '+')
			assert_int_equal(old->p[2 * at++], line.p[1]);
		if (line.p[0] != '-') {
			buf_addc(ret, line.p[1]);
			buf_addc(ret, '\n');
		}
	}
	for (; 2 * at < old->n; at++)
		buf_add(ret, old->p + 2 * at, 2);
}

static void random_lines(struct buf *b, unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	unsigned n = *seed >> 16 & 31;
	for (unsigned i = 0; i < n; i++) {
		*seed = *seed * 1103515245 + 12345;
		buf_addc(b, (char)('a' + (*seed >> 16) % 12));
		buf_addc(b, '\n');
	}
}

static void test_applied(void **state)
{
	(void)state;
	unsigned seed = 1;
	for (int i = 0; i < 20000; i++) {
		auto_buf struct buf a = BUF_INIT(4096), b = BUF_INIT(4096), d = BUF_INIT(1 << 16),
			c = BUF_INIT(4096);
		random_lines(&a, &seed);
		random_lines(&b, &seed);
		udiff("old", buf_str(&a), "new", buf_str(&b), &d);
		if (d.n == 0) {
			assert_true(str_eq(buf_str(&a), buf_str(&b)));
			continue;
		}
		apply(&a, &d, &c);
		assert_true(str_eq(buf_str(&b), buf_str(&c)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_applied),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
