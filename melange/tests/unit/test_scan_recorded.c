#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "melange/config/facts.h"
#include "melange/config/load.h"
#include "melange/scan/scan.h"
#include "melange/tests/unit/apktree.h"
#include "shared/os/fd.h"

/* Packages that the reference made: their files scanned again must give the same lines. */

#define CASES SOURCE_DIR "/../shared/data/build-golden"
#define APKS SOURCE_DIR "/../shared/data/apks/sca"
#define MAX_PKGS 64

struct build {
	struct arena a;
	struct config conf;
	struct apktree trees[MAX_PKGS];
	struct scan_pkg pkgs[MAX_PKGS];
	size_t n;
};

/* The configuration that a package carries: compiled, of the whole build. */
static void load_config(struct build *b, const char *origin)
{
	auto_err struct err err = ERR_INIT;
	struct apktree t;
	char path[] = "/tmp/scan-config-XXXXXX";
	int fd = mkstemp(path);
	const struct load_opts opts = { 0 };
	assert_true(fd >= 0);
	close(fd);
	apktree_open(origin, &b->a, &t);
	bool ok = file_write(path, t.config.p, t.config.n, 0600, &err) &&
		config_load(path, &opts, &b->a, &b->conf, &err);
	unlink(path);
	tree_release(&t.files);
	if (!ok)
		fail_msg("%s: %s", origin, err.msg);
}

static void add_pkg(struct build *b, const char *prefix, struct str name,
	const struct pkg_options *options, const struct dependencies *declared)
{
	struct str version = package_full_version(&b->conf.package, &b->a);
	const char *path = arena_printf(&b->a, "%s%.*s-%.*s.apk", prefix, STR_ARG(name),
		STR_ARG(version));
	if (access(path, F_OK))
		return;
	assert_true(b->n < MAX_PKGS);
	apktree_open(path, &b->a, &b->trees[b->n]);
	b->pkgs[b->n] = (struct scan_pkg){
		.name = arena_strdup(&b->a, name.p),
		.version = version.p,
		.tree = &b->trees[b->n].files,
		.options = options,
		.declared = declared,
	};
	b->n++;
}

static void open_build(struct build *b, const char *prefix, const char *origin)
{
	*b = (struct build){ .a = ARENA_INIT };
	load_config(b, origin);
	const struct package *p = &b->conf.package;
	add_pkg(b, prefix, p->name.s, p->options, &p->dependencies);
	const struct subpackage *subs = b->conf.subpackages.v;
	for (size_t i = 0; i < b->conf.subpackages.n; i++)
		add_pkg(b, prefix, subs[i].name.s, subs[i].options, &subs[i].dependencies);
}

static void close_build(struct build *b)
{
	for (size_t i = 0; i < b->n; i++)
		tree_release(&b->trees[i].files);
	arena_release(&b->a);
}

static void same(const char *pkg, const char *what, const struct strs *want, const struct strs *got)
{
	for (size_t i = 0; i < want->n || i < got->n; i++) {
		struct str w = i < want->n ? want->v[i] : S("nothing");
		struct str g = i < got->n ? got->v[i] : S("nothing");
		if (!str_eq(w, g))
			fail_msg("%s: %s: expected %.*s, found %.*s", pkg, what, STR_ARG(w),
				STR_ARG(g));
	}
}

static void check_pkg(struct build *b, size_t i)
{
	auto_err struct err err = ERR_INIT;
	struct scan_result r;
	if (!scan(b->pkgs, b->n, i, &b->a, &r, &err))
		fail_msg("%s: %s", b->pkgs[i].name, err.msg);
	struct strs depend = apktree_values(&b->trees[i], S("depend"), &b->a);
	struct strs provides = apktree_values(&b->trees[i], S("provides"), &b->a);
	struct strs vendored = apktree_values(&b->trees[i], S("# vendored"), &b->a);
	same(b->pkgs[i].name, "depend", &depend, &r.runtime);
	same(b->pkgs[i].name, "provides", &provides, &r.provides);
	same(b->pkgs[i].name, "vendored", &vendored, &r.vendored);
}

/* The prefix of a build's packages ends before the origin's name. */
static size_t check_build(const char *prefix, const char *origin)
{
	static struct build b;
	open_build(&b, prefix, origin);
	if (b.n == 0)
		fail_msg("%s: no packages", origin);
	for (size_t i = 0; i < b.n; i++)
		check_pkg(&b, i);
	size_t n = b.n;
	close_build(&b);
	return n;
}

static size_t check_case(const char *dir, const char *prefix)
{
	auto_arena struct arena a = ARENA_INIT;
	const char *name = strrchr(dir, '/') + 1;
	const char *start = arena_printf(&a, "%s/expected/%s", dir, prefix);
	glob_t g;
	assert_int_equal(glob(arena_printf(&a, "%s%s-[0-9]*.apk", start, name), 0, NULL, &g), 0);
	size_t n = check_build(start, g.gl_pathv[0]);
	globfree(&g);
	return n;
}

static void test_cases(void **state)
{
	(void)state;
	glob_t g;
	size_t n = 0;
	if (glob(CASES "/sca-*", 0, NULL, &g)) {
		print_message("no cases in %s\n", CASES);
		skip();
	}
	for (size_t i = 0; i < g.gl_pathc; i++)
		n += check_case(g.gl_pathv[i], "");
	globfree(&g);
	n += check_case(CASES "/so-ver", "plain_x86_64_");
	print_message("%zu packages\n", n);
	assert_true(n > 40);
}

/* Real packages, made by earlier versions: what must be among the findings. */
static const struct {
	const char *file, *pkg, *version, *runtime, *provides;
} real[] = {
	{ "aws-c-s3-0.4.9-r0.apk", "aws-c-s3", "0.4.9-r0",
		"so:libaws-c-auth.so.1.0.0 so:libaws-checksums.so.1.0.0 so:libc.so.6",
		"so:libaws-c-s3.so.0unstable=0 so-ver:libaws-c-s3.so.0unstable=0.4.9-r0" },
	{ "bash-doc-5.2.37-r2.apk", "bash-doc", "5.2.37-r2", "texinfo", "" },
	{ "linux-modules-6.17.7-r0.apk", "linux-modules", "6.17.7-r0", "linux:6.17.7-test", "" },
	{ "linux-modules-xz-6.17.7-r0.apk", "linux-modules-xz", "6.17.7-r0", "linux:6.17.7-test",
		"" },
	{ "linux-modules-zstd-6.17.7-r0.apk", "linux-modules-zstd", "6.17.7-r0",
		"linux:6.17.7-test", "" },
	{ "perl-json-4.11-r0.apk", "perl-json", "4.11-r0", "perl~5", "" },
	{ "shbang-test-1-r1.apk", "shbang-test", "1-r1",
		"cmd:bash cmd:envDashSCmd cmd:python3.12 so:libc.so.6", "" },
};

static void has_all(const char *pkg, const char *what, const char *want, const struct strs *found)
{
	struct str rest = str_of(want), item;
	while (str_word(&rest, &item)) {
		if (strs_has(found, item))
			continue;
		for (size_t i = 0; i < found->n; i++)
			print_message("%s: %s %.*s\n", pkg, what, STR_ARG(found->v[i]));
		fail_msg("%s: %s: no %.*s", pkg, what, STR_ARG(item));
	}
}

static void test_real(void **state)
{
	(void)state;
	if (access(APKS, F_OK)) {
		print_message("no packages in %s\n", APKS);
		skip();
	}
	for (size_t i = 0; i < countof(real); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct dependencies none = { 0 };
		struct scan_result r;
		struct apktree t;
		apktree_open(arena_printf(&a, APKS "/%s", real[i].file), &a, &t);
		struct scan_pkg pkg = { .name = real[i].pkg, .version = real[i].version,
			.tree = &t.files, .declared = &none };
		if (!scan(&pkg, 1, 0, &a, &r, &err))
			fail_msg("%s: %s", real[i].file, err.msg);
		has_all(real[i].pkg, "runtime", real[i].runtime, &r.runtime);
		has_all(real[i].pkg, "provides", real[i].provides, &r.provides);
		tree_release(&t.files);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_real),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
