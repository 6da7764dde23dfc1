#include "melange/build/report.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "shared/base/tstamp.h"
#include "shared/os/fd.h"
#include "shared/text/jwrite.h"

struct strs report_test_uses(const struct config *c, const struct subpackage *sub, struct arena *a)
{
	const struct test *t = sub ? sub->test : c->test;
	struct strs out = { 0 };
	const struct step *s = t ? t->pipeline.v : NULL;
	for (size_t i = 0; t && i < t->pipeline.n; i++)
		if (s[i].uses.s.n)
			strs_push(a, &out, s[i].uses.s);
	return out;
}

bool report_lint(const char *dir, const char *name, struct str version, struct str json,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const char *path = arena_printf(&a, "%s/lint-%s-%.*s.json", dir, name, STR_ARG(version));
	return file_write(path, json.p, json.n, 0644, err);
}

static void list(struct jwrite *w, const char *key, const struct strs *items)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < items->n; i++)
		jw_str(w, items->v[i]);
	jw_array_end(w);
}

bool report_dependencies(const char *path, const char *arch, const struct scan_pkg *pkgs,
	const struct scan_result *deps, size_t n, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf b = BUF_INIT(64u << 20);
	for (size_t i = 0; i < n; i++) {
		struct jwrite w;
		jw_init(&w, &b, 0);
		jw_object(&w);
		jw_kstr(&w, "name", str_of(pkgs[i].name));
		list(&w, "runtime", &deps[i].found_runtime);
		list(&w, "provides", &deps[i].found_provides);
		list(&w, "vendored", &deps[i].vendored);
		jw_object_end(&w);
		buf_addc(&b, '\n');
	}
	return file_write(arena_printf(&a, "%s.%s", path, arch), b.p, b.n, 0644, err);
}

bool report_build_log(const char *arch, struct str origin, const char *name, struct str version,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str line = arena_strf(&a, "%s|%.*s|%s|%.*s\n", arch, STR_ARG(origin), name,
		STR_ARG(version));
	auto_fd int fd = open("packages.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(err, "cannot open 'packages.log'");
	return fd_write_all(fd, line.p, line.n, "packages.log", err);
}

static struct str span_time(struct arena *a, int64_t ns)
{
	const char *second = tstamp_rfc3339(a, ns / 1000000000);
	return arena_strf(a, "%.*s.%09lldZ", (int)strlen(second) - 1, second,
		(long long)(ns % 1000000000));
}

bool report_span(const char *path, const char *arch, const char *name, int64_t took,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf b = BUF_INIT(1 << 16);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t end = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	struct jwrite w;
	jw_init(&w, &b, 0);
	jw_object(&w);
	jw_kstr(&w, "Name", str_of(name));
	jw_kstr(&w, "StartTime", span_time(&a, end - took));
	jw_kstr(&w, "EndTime", span_time(&a, end));
	jw_key(&w, "Attributes");
	jw_object(&w);
	jw_kstr(&w, "arch", str_of(arch));
	jw_object_end(&w);
	jw_object_end(&w);
	buf_addc(&b, '\n');
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", path);
	return fd_write_all(fd, b.p, b.n, path, err);
}
