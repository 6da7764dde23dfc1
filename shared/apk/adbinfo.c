#include "shared/apk/adbpkg.h"

#include <stddef.h>
#include <string.h>

/* pkginfo objects, which packages and indexes have alike. */

#define MAX_COMMIT 64

struct reading {
	const struct adb_obj *o;
	const char *name;
	struct arena *a;
	struct err *err;
};

static const struct {
	unsigned field;
	size_t offset;
} texts[] = {
	{ ADB_PI_NAME, offsetof(struct apk_pkg, name) },
	{ ADB_PI_VERSION, offsetof(struct apk_pkg, version) },
	{ ADB_PI_DESCRIPTION, offsetof(struct apk_pkg, desc) },
	{ ADB_PI_ARCH, offsetof(struct apk_pkg, arch) },
	{ ADB_PI_LICENSE, offsetof(struct apk_pkg, license) },
	{ ADB_PI_ORIGIN, offsetof(struct apk_pkg, origin) },
	{ ADB_PI_MAINTAINER, offsetof(struct apk_pkg, maintainer) },
	{ ADB_PI_URL, offsetof(struct apk_pkg, url) },
};

static const struct {
	unsigned field;
	size_t offset;
} lists[] = {
	{ ADB_PI_DEPENDS, offsetof(struct apk_pkg, depends) },
	{ ADB_PI_PROVIDES, offsetof(struct apk_pkg, provides) },
	{ ADB_PI_REPLACES, offsetof(struct apk_pkg, replaces) },
	{ ADB_PI_INSTALL_IF, offsetof(struct apk_pkg, install_if) },
};

/* One line of text; blanks only where they separate nothing. */
static bool fit(struct str s, bool blanks)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < ' ' || c == 0x7f || (c == ' ' && !blanks))
			return false;
	}
	return true;
}

static bool unfit(const struct reading *r, const char *what)
{
	struct str name = adb_blob(r->o, ADB_PI_NAME);

	return err_set(r->err, EK_PARSE, "%s: package '%.*s' has %s", r->name,
		fit(name, false) && name.n < 256 ? (int)name.n : 0, name.p ? name.p : "", what);
}

static bool read_texts(const struct reading *r, struct apk_pkg *p)
{
	for (size_t i = 0; i < countof(texts); i++) {
		struct str s = adb_blob(r->o, texts[i].field);
		if (!fit(s, true))
			return unfit(r, "a control character in a text");
		*(struct str *)((char *)p + texts[i].offset) = arena_str(r->a, s);
	}
	if (!apk_name_ok(p->name))
		return unfit(r, "an unusable name");
	if (!p->version.n || !fit(p->version, false) || str_chr(p->version, '/') >= 0)
		return unfit(r, "an unusable version");
	if (!fit(p->arch, false) || str_chr(p->arch, '/') >= 0)
		return unfit(r, "an unusable architecture");
	return true;
}

static bool read_list(const struct reading *r, unsigned field, struct str *ret)
{
	auto_arena struct arena scratch = ARENA_INIT;
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);
	struct adb_obj list = adb_obj(r->o, field);

	for (uint32_t i = 1; i < list.n; i++) {
		struct adb_obj dep = adb_obj(&list, i);
		struct str s = adb_dep_text(&dep, &scratch);
		if (!s.n || !fit(s, false))
			return unfit(r, "an unusable dependency");
		if (b.n)
			buf_addc(&b, ' ');
		buf_addstr(&b, s);
	}
	*ret = arena_str(r->a, buf_str(&b));
	return true;
}

static bool read_lists(const struct reading *r, struct apk_pkg *p)
{
	for (size_t i = 0; i < countof(lists); i++)
		if (!read_list(r, lists[i].field, (struct str *)((char *)p + lists[i].offset)))
			return false;
	return true;
}

static bool read_tags(const struct reading *r, struct apk_pkg *p)
{
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);
	struct adb_obj list = adb_obj(r->o, ADB_PI_TAGS);

	for (uint32_t i = 1; i < list.n; i++) {
		struct str s = adb_blob(&list, i);
		if (!s.n || !fit(s, false))
			return unfit(r, "an unusable tag");
		buf_printf(&b, "%s%.*s", b.n ? " " : "", STR_ARG(s));
	}
	p->tags = arena_str(r->a, buf_str(&b));
	return true;
}

static bool read_numbers(const struct reading *r, struct apk_pkg *p)
{
	uint64_t time = adb_int(r->o, ADB_PI_BUILD_TIME);
	uint64_t priority = adb_int(r->o, ADB_PI_PROVIDER_PRIORITY);

	p->installed_size = adb_int(r->o, ADB_PI_INSTALLED_SIZE);
	p->file_size = adb_int(r->o, ADB_PI_FILE_SIZE);
	if (time > INT64_MAX || priority > INT64_MAX || p->installed_size > INT64_MAX ||
	    p->file_size > INT64_MAX)
		return unfit(r, "a number out of range");
	p->build_time = (int64_t)time;
	p->provider_priority = (int64_t)priority;
	return true;
}

static bool read_bytes(const struct reading *r, struct apk_pkg *p)
{
	struct str commit = adb_blob(r->o, ADB_PI_COMMIT), sum = adb_blob(r->o, ADB_PI_HASHES);

	if (commit.n > MAX_COMMIT)
		return unfit(r, "an unusable commit");
	char *hex = arena_alloc(r->a, commit.n * 2 + 1);
	hex_encode((const uint8_t *)commit.p, commit.n, hex);
	p->commit = str_n(hex, commit.n * 2);
	if (sum.n != SHA1_SIZE && sum.n != SHA256_SIZE)
		return true;
	memcpy(p->checksum, sum.p, sum.n);
	p->checksum_n = (uint8_t)sum.n;
	return true;
}

bool adb_info(const struct adb_obj *o, const char *name, struct arena *a, struct apk_pkg *ret,
	struct err *err)
{
	const struct reading r = { .o = o, .name = name, .a = a, .err = err };
	struct apk_pkg p = { 0 };

	if (!read_texts(&r, &p) || !read_lists(&r, &p) || !read_tags(&r, &p) ||
	    !read_numbers(&r, &p) || !read_bytes(&r, &p))
		return false;
	*ret = p;
	return true;
}
