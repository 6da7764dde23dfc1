#include "shared/apk/tests/adb_cases.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "shared/apk/adbpkg.h"
#include "shared/apk/tests/adb_dump.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

#define MAX_TEXT (256u << 20)

static bool dump_path(const char *path, struct buf *out, struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "cannot open '%s'", path);
	return adb_dump(fd, path, out, err);
}

static void show_difference(const char *path, struct str want, struct str got)
{
	struct str a = STR_NONE, b = STR_NONE;
	unsigned line = 1;

	while (str_next(&want, '\n', &a) && str_next(&got, '\n', &b) && str_eq(a, b))
		line++;
	printf("failed %s: line %u: expected '%.*s', got '%.*s'\n", path, line, STR_ARG(a),
		STR_ARG(b));
}

static bool dump_case(const char *dir, const char *path)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf want = BUF_INIT(MAX_TEXT), got = BUF_INIT(MAX_TEXT);
	auto_err struct err err = ERR_INIT;
	struct str name = path_base(str_of(path));

	if (!file_read(arena_printf(&a, "%s/%.*s.txt", dir, STR_ARG(name)), &want, &err) ||
	    !dump_path(path, &got, &err)) {
		printf("failed %s: %s\n", path, err.msg);
		return false;
	}
	if (str_eq(buf_str(&want), buf_str(&got)))
		return true;
	show_difference(path, buf_str(&want), buf_str(&got));
	return false;
}

int adb_cases(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;

	for (int i = 1; i < argc; i++) {
		if (dump_case(argv[0], argv[i]))
			passed++;
		else
			failed++;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0 || passed == 0;
}

int adb_cases_dump(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		auto_buf struct buf out = BUF_INIT(MAX_TEXT);
		auto_err struct err err = ERR_INIT;
		bool ok = dump_path(argv[i], &out, &err);
		fwrite(out.p ? out.p : "", 1, out.n, stdout);
		if (ok)
			continue;
		fprintf(stderr, "apk-cases: %s\n", err.msg);
		return 1;
	}
	return 0;
}

/* Verdicts */

struct verdict {
	struct str file, keys, status;
};

static bool add_key(struct keyring *k, struct str dir, struct str name, struct err *err)
{
	static const char *const endings[] = { "rsa.pub", "pem.pub" };
	auto_arena struct arena a = ARENA_INIT;

	for (size_t i = 0; i < countof(endings); i++) {
		char *path = arena_printf(&a, "%.*s/%.*s.%s", STR_ARG(dir), STR_ARG(name), endings[i]);
		if (access(path, F_OK) == 0)
			return keyring_add_file(k, path, err);
	}
	return err_set(err, EK_NOTFOUND, "no key '%.*s'", STR_ARG(name));
}

static bool verify(struct str dir, const struct verdict *v, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_keyring struct keyring keys;
	bool any = str_is(v->keys, "any");
	char *path = arena_printf(&a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(v->file));

	keyring_init(&keys, &a);
	if (!any && !str_is(v->keys, "none") && !add_key(&keys, dir, v->keys, err))
		return false;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", path);
	return adb_verify(fd, path, any ? NULL : &keys, err);
}

static bool verdict_case(struct str dir, const struct verdict *v, unsigned *stricter)
{
	auto_err struct err err = ERR_INIT;
	bool want = str_is(v->status, "0"), got = verify(dir, v, &err);

	if (want == got)
		return true;
	if (want && str_is(v->keys, "any") && str_starts(v->file, S("bad/"))) {
		++*stricter;
		return true;
	}
	printf("failed %.*s with %.*s: %s\n", STR_ARG(v->file), STR_ARG(v->keys),
		got ? "passes" : err.msg);
	return false;
}

int adb_cases_verify(int argc, char **argv)
{
	auto_buf struct buf b = BUF_INIT(MAX_TEXT);
	auto_err struct err err = ERR_INIT;
	unsigned passed = 0, failed = 0, stricter = 0;
	struct str dir = path_dir(str_of(argc ? argv[0] : "")), line;

	if (argc != 1 || !file_read(argv[0], &b, &err)) {
		fprintf(stderr, "apk-cases: %s\n", err.msg ? err.msg : "adb-verify TABLE");
		return 2;
	}
	if (!dir.n)
		dir = S(".");
	for (struct str text = buf_str(&b); str_next(&text, '\n', &line);) {
		struct verdict v;
		if (!line.n || !str_next(&line, '\t', &v.file) || !str_next(&line, '\t', &v.keys) ||
		    !str_next(&line, '\t', &v.status) || str_is(v.status, "exit"))
			continue;
		if (verdict_case(dir, &v, &stricter))
			passed++;
		else
			failed++;
	}
	printf("%u passed (%u of them stricter), %u failed\n", passed, stricter, failed);
	return failed != 0 || passed == 0;
}
