#include "shared/apk/buildorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "shared/base/buf.h"
#include "shared/base/vec.h"

/* "name: needs | package depends>provides, ..." for each unit, in lines. */
struct made {
	struct arena a;
	struct build_unit units[16];
	size_t n;
};

static struct strs *words(struct arena *a, struct str text)
{
	struct strs *list = arena_new(a, struct strs);
	struct str word;
	while (str_word(&text, &word))
		strs_push(a, list, word);
	return list;
}

static void add_package(struct made *m, struct build_unit *u, struct str text)
{
	struct apk_pkg *p = arena_new(&m->a, struct apk_pkg);
	const struct apk_pkg **all = arena_array(&m->a, const struct apk_pkg *, u->n_pkgs + 1);
	struct str rest, deps;
	p->version = S("1.0-r0");
	(void)str_cut(str_trim(text), ' ', &p->name, &rest);
	(void)str_cut(rest, '|', &deps, &p->provides);
	p->depends = str_trim(deps);
	for (size_t i = 0; i < u->n_pkgs; i++)
		all[i] = u->pkgs[i];
	all[u->n_pkgs++] = p;
	u->pkgs = all;
}

static void make(struct made *m, const char *text)
{
	struct str rest = str_of(text), line, part, needs, pkgs;
	*m = (struct made){ .n = 0 };
	while (str_next(&rest, '\n', &line)) {
		struct build_unit *u = &m->units[m->n++];
		(void)str_cut(line, ':', &u->name, &pkgs);
		(void)str_cut(pkgs, ';', &needs, &pkgs);
		u->needs = words(&m->a, needs);
		while (pkgs.p && str_next(&pkgs, ',', &part))
			add_package(m, u, part);
	}
}

static void test_orders(void **state)
{
	(void)state;
	static const struct {
		const char *units, *order, *error[3];
	} cases[] = {
		{ "b:;b\na:;a", "b a", { NULL } },
		{ "app:lib-dev; app\nlib:;lib,lib-dev lib", "lib app", { NULL } },
		/* by what a package provides, with a version */
		{ "app:pc:z>=2; app\nz:;z |pc:z=1\nz2:;z2 |pc:z=2", "z z2 app", { NULL } },
		/* what the tool needs to run has to be there for app, not for building the tool */
		{ "app:tool; app\ntool:;tool lib\nlib:;lib", "tool lib app", { NULL } },
		/* what nobody builds, and what only the unit itself does */
		{ "cc:cc make; cc\napp:cc gone; app", "cc app", { NULL } },
		{ "a:b; a\nb:c; b\nc:a; c\nd:;d", NULL,
			{ "'a' needs 'b' of 'b'", "'b' needs 'c' of 'c'", "'c' needs 'a' of 'a'" } },
		{ "a:b=; a", NULL, { "what 'a' needs", "'b='", "" } },
	};
	for (size_t i = 0; i < countof(cases); i++) {
		struct made m;
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf out = BUF_INIT(256);
		size_t *order;
		make(&m, cases[i].units);
		bool ok = build_order(m.units, m.n, &m.a, &order, &err);
		assert_int_equal(ok, cases[i].order != NULL);
		for (size_t k = 0; ok && k < m.n; k++)
			buf_printf(&out, "%s%.*s", k ? " " : "", STR_ARG(m.units[order[k]].name));
		if (ok)
			assert_string_equal(out.p, cases[i].order);
		for (size_t k = 0; !ok && k < 3; k++)
			if (!strstr(err.msg, cases[i].error[k]))
				fail_msg("no '%s' in: %s", cases[i].error[k], err.msg);
		arena_release(&m.a);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_orders) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
