#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "apko/layers/group.h"

/* Packages as "NAME VERSION ORIGIN SIZE [REPLACES...]", groups as "a+b c". */
static const struct group_case {
	const char *what;
	const char *pkgs[8];
	int64_t budget;
	const char *want;
} group_cases[] = {
	{ "nothing installed", { NULL }, 3, "" },
	{ "by origin", { "a1 1 a 5", "b 1 b 9", "a2 1 a 5" }, 9, "a1+a2 b" },
	{ "an empty origin is one", { "a 1 - 5", "b 1 - 9", "c 1 c 1" }, 9, "a+b c" },
	{ "biggest first", { "a 1 a 1", "b 1 b 3", "c 1 c 2" }, 9, "b c a" },
	{ "equal sizes by greatest name", { "z 1 o 1", "a 1 o 1", "m 1 m 2" }, 9, "m a+z" },
	{ "smallest ones together", { "a 1 a 4", "b 1 b 3", "c 1 c 2", "d 1 d 1" }, 2, "a b+c+d" },
	{ "budget met exactly", { "a 1 a 4", "b 1 b 3" }, 2, "a b" },
	{ "budget of one", { "a 1 a 4", "b 1 b 3" }, 1, "a+b" },
	{ "budget of none", { "b 1 b 3", "a 1 a 4", "c 1 c 1" }, 0, "a+b+c" },
	{ "replaces", { "a 1 a 4", "b 1 b 3 a", "c 1 c 1" }, 9, "a+b c" },
	{ "replaces another version", { "a 1 a 4", "b 1 b 3 a<1" }, 9, "a b" },
	{ "replaces this version", { "a 1 a 4", "b 1 b 3 a<2" }, 9, "a+b" },
	{ "replaces what is not there", { "a 1 a 4", "b 1 b 3 x y" }, 9, "a b" },
	{ "merging whole groups", { "a 1 p 1", "b 1 q 1", "c 1 p 1 b" }, 9, "a+b+c" },
	{ "sizes do not overflow",
		{ "a 1 p 18446744073709551615", "b 1 p 18446744073709551615", "c 1 c 1" }, 9,
		"a+b c" },
};

static struct apk_file *package(struct arena *a, const char *text)
{
	struct apk_file *f = arena_new(a, struct apk_file);
	struct str rest = str_of(text), size = STR_NONE;
	assert_true(str_word(&rest, &f->info.name) && str_word(&rest, &f->info.version) &&
		str_word(&rest, &f->info.origin) && str_word(&rest, &size));
	f->info.installed_size = strtoull(size.p, NULL, 10);
	f->info.replaces = str_trim(rest);
	if (str_is(f->info.origin, "-"))
		f->info.origin = STR_NONE;
	return f;
}

static const char *show(const struct layer_groups *g, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);
	for (size_t i = 0; i < g->n; i++)
		for (size_t k = 0; k < g->v[i].n; k++)
			buf_printf(&b, "%s%.*s", k ? "+" : i ? " " : "",
				STR_ARG(g->v[i].v[k]->file->info.name));
	return arena_str(a, buf_str(&b)).p;
}

static void grouping(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(group_cases); i++) {
		const struct group_case *c = &group_cases[i];
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct install_record records[8] = { 0 };
		struct install_result in = { records, 0 };
		struct layer_groups got;
		for (; in.n < countof(c->pkgs) && c->pkgs[in.n]; in.n++)
			records[in.n].file = package(&a, c->pkgs[in.n]);
		if (!layer_group(&in, c->budget, &a, &got, &err))
			fail_msg("%s: %s", c->what, err.msg);
		print_message("%s\n", c->what);
		assert_string_equal(show(&got, &a), c->want);
	}
}

static void refused(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct install_record record = { .file = package(&a, "a 1 a 1 =") };
	struct install_result in = { &record, 1 };
	struct layer_groups got;
	(void)state;
	assert_false(layer_group(&in, 1, &a, &got, &err));
	assert_non_null(strstr(err.msg, "'a'"));
	assert_false(layer_group(&in, -1, &a, &got, &err));
	assert_string_equal(err.msg, "layering budget -1 is negative");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(grouping),
		cmocka_unit_test(refused) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
