#include "shared/apk/adbpkg.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "shared/base/map.h"
#include "shared/os/path.h"

#define XATTR_PREFIX "SCHILY.xattr."
#define LINK_MAX 4095		/* bytes of a symlink's target: PATH_MAX less its NUL */
#define XATTRS_MAX 256		/* of one file */

struct packing {
	const struct adb_head *head;
	const char *name;
	struct arena *a;
	struct err *err;
	uint64_t max_entries;
	struct adb_pkg p;
	VEC(struct apk_entry) entries, links;
	VEC(struct tar_paxes) paxes, link_paxes;
	VEC(struct adb_content) contents;
	uint64_t n;		/* entries so far */
};

/* An entry on its way, with what is kept beside it. */
struct item {
	struct apk_entry e;
	struct tar_paxes pax;
	struct str hash;
	uint32_t path, file;
};

static bool bad_entry(const struct packing *k, struct str name, const char *what)
{
	auto_arena struct arena a = ARENA_INIT;
	char *shown = arena_strndup(&a, name.p ? name.p : "", name.n);

	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)shown[i] < ' ' || shown[i] == 0x7f)
			shown[i] = '?';
	return err_set(k->err, EK_PARSE, "%s: '%s' %s", k->name, shown, what);
}

static struct str owner_of(const struct adb_obj *acl, unsigned field)
{
	struct str s = adb_blob(acl, field);

	return s.n ? s : S("root");
}

static bool name_fit(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == ':')
			return false;
	return s.n < 256;
}

static bool read_xattrs(struct packing *k, const struct adb_obj *acl, struct item *it)
{
	struct adb_obj list = adb_obj(acl, ADB_ACL_XATTRS);

	if (list.n > XATTRS_MAX + 1)
		return bad_entry(k, it->e.name, "has too many extended attributes");
	for (uint32_t i = 1; i < list.n; i++) {
		struct str blob = adb_blob(&list, i), key, val;
		if (!str_cut(blob, '\0', &key, &val) || !key.n)
			return bad_entry(k, it->e.name, "has a malformed extended attribute");
		vec_push(k->a, &it->pax, (struct tar_pax){
			.key = arena_strf(k->a, XATTR_PREFIX "%.*s", STR_ARG(key)), .val = val });
	}
	return true;
}

/* What has no list has the plain one: root's, mode as usual. */
static bool read_acl(struct packing *k, const struct adb_obj *o, unsigned field, uint32_t plain,
	struct item *it)
{
	struct adb_obj acl = adb_obj(o, field);
	uint64_t mode = acl.n > 1 ? adb_int(&acl, ADB_ACL_MODE) : plain;

	if (mode & ~(uint64_t)07777)
		return bad_entry(k, it->e.name, "has an unusable mode");
	it->e.mode = (uint32_t)mode;
	it->e.uname = owner_of(&acl, ADB_ACL_USER);
	it->e.gname = owner_of(&acl, ADB_ACL_GROUP);
	if (!name_fit(it->e.uname) || !name_fit(it->e.gname))
		return bad_entry(k, it->e.name, "has an unusable owner");
	return read_xattrs(k, &acl, it);
}

static bool read_symlink(struct packing *k, struct item *it, struct str target)
{
	if (!target.n || target.n > LINK_MAX || memchr(target.p, 0, target.n))
		return bad_entry(k, it->e.name, "has an unusable symlink target");
	it->e.type = '2';
	it->e.link = arena_str(k->a, target);
	it->e.has_sha1 = true;
	digest_once(DIGEST_SHA1, target.p, target.n, it->e.sha1);
	return true;
}

static bool read_hardlink(struct packing *k, struct item *it, struct str target)
{
	if (!path_is_safe(target))
		return bad_entry(k, it->e.name, "has an unusable hard link target");
	it->e.type = '1';
	it->e.has_sha1 = true;
	it->e.link = arena_str(k->a, target);
	return true;
}

static bool read_device(struct packing *k, struct item *it, uint32_t kind, struct str target)
{
	uint64_t dev;

	if (target.n != sizeof(dev))
		return bad_entry(k, it->e.name, "has a malformed device number");
	memcpy(&dev, target.p, sizeof(dev));
	dev = le64toh(dev);
	it->e.type = kind == S_IFCHR ? '3' : kind == S_IFBLK ? '4' : '6';
	if (it->e.type != '6') {
		it->e.major = major(dev);
		it->e.minor = minor(dev);
	}
	return true;
}

static bool read_target(struct packing *k, struct item *it, struct str blob)
{
	struct str rest = str_from(blob, 2);

	if (blob.n < 2)
		return bad_entry(k, it->e.name, "has a malformed target");
	uint32_t kind = (unsigned char)blob.p[0] | (uint32_t)(unsigned char)blob.p[1] << 8;
	switch (kind) {
	case S_IFLNK:
		return read_symlink(k, it, rest);
	case S_IFREG:
		return read_hardlink(k, it, rest);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return read_device(k, it, kind, rest);
	default:
		return bad_entry(k, it->e.name, "is of an unknown kind");
	}
}

static bool read_regular(struct packing *k, struct item *it, uint64_t size)
{
	static const char nothing[1];

	it->e.type = '0';
	it->e.has_sha1 = true;
	it->e.size = size;
	it->e.off = k->p.data_size;
	if (it->hash.n != SHA256_SIZE)
		return bad_entry(k, it->e.name, "has no SHA-256");
	if (size > INT64_MAX - k->p.data_size)
		return bad_entry(k, it->e.name, "is too large");
	k->p.data_size += size;
	if (size)
		return true;
	uint8_t md[SHA256_SIZE];
	digest_once(DIGEST_SHA256, nothing, 0, md);
	digest_once(DIGEST_SHA1, nothing, 0, it->e.sha1);
	return memcmp(md, it->hash.p, sizeof(md)) == 0 || err_set(k->err, EK_TRUST,
		"%s: file integrity error: '%.*s' is empty, which its hash denies", k->name,
		STR_ARG(it->e.name));
}

static bool keep(struct packing *k, const struct item *it)
{
	if (++k->n > k->max_entries)
		return err_set(k->err, EK_PARSE, "%s: size limit exceeded: limit is %" PRIu64
			" entries", k->name, k->max_entries);
	if (it->e.type == '0' && it->e.size) {
		struct adb_content c = { it->path, it->file, k->entries.n, { 0 } };
		memcpy(c.sha256, it->hash.p, SHA256_SIZE);
		vec_push(k->a, &k->contents, c);
	}
	if (it->e.type == '1') {
		vec_push(k->a, &k->links, it->e);
		vec_push(k->a, &k->link_paxes, it->pax);
	} else {
		vec_push(k->a, &k->entries, it->e);
		vec_push(k->a, &k->paxes, it->pax);
	}
	return true;
}

static bool read_file(struct packing *k, const struct adb_obj *o, struct str dir, uint32_t path,
	uint32_t file)
{
	struct item it = { .path = path, .file = file };
	struct str base = adb_blob(o, ADB_FILE_NAME), target = adb_blob(o, ADB_FILE_TARGET);
	uint64_t mtime = adb_int(o, ADB_FILE_MTIME);

	if (!path_is_safe(base) || str_chr(base, '/') >= 0)
		return bad_entry(k, base, "is an unsafe name");
	it.e.name = dir.n ? arena_strf(k->a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(base))
			  : arena_str(k->a, base);
	if (mtime > INT64_MAX)
		return bad_entry(k, it.e.name, "has an unusable time");
	it.e.mtime = (int64_t)mtime;
	it.hash = adb_blob(o, ADB_FILE_HASHES);
	if (!read_acl(k, o, ADB_FILE_ACL, 0644, &it))
		return false;
	if (!(target.p ? read_target(k, &it, target)
		       : read_regular(k, &it, adb_int(o, ADB_FILE_SIZE))))
		return false;
	return keep(k, &it);
}

static bool read_dir(struct packing *k, const struct adb_obj *o, uint32_t path)
{
	struct adb_obj files = adb_obj(o, ADB_DIR_FILES);
	struct item it = { .e.type = '5', .e.mtime = k->p.info.build_time };
	struct str name = adb_blob(o, ADB_DIR_NAME);

	/* the root is there whatever a package says of it */
	if (name.n) {
		if (!path_is_safe(name))
			return bad_entry(k, name, "is an unsafe name");
		it.e.name = arena_str(k->a, name);
		if (!read_acl(k, o, ADB_DIR_ACL, 0755, &it) || !keep(k, &it))
			return false;
	}
	for (uint32_t i = 1; i < files.n; i++) {
		struct adb_obj file = adb_obj(&files, i);
		if (!read_file(k, &file, it.e.name, path, i))
			return false;
	}
	return true;
}

static bool read_paths(struct packing *k, const struct adb_obj *package)
{
	struct adb_obj paths = adb_obj(package, ADB_PKG_PATHS);

	for (uint32_t i = 1; i < paths.n; i++) {
		struct adb_obj dir = adb_obj(&paths, i);
		if (!read_dir(k, &dir, i))
			return false;
	}
	return true;
}

/* Hard links last, so that what they lead to is in front of them. */
static void join(struct packing *k)
{
	k->p.n_entries = k->entries.n + k->links.n;
	for (size_t i = 0; i < k->links.n; i++) {
		vec_push(k->a, &k->entries, k->links.v[i]);
		vec_push(k->a, &k->paxes, k->link_paxes.v[i]);
	}
	k->p.entries = k->entries.v;
	k->p.paxes = k->paxes.v;
	k->p.contents = k->contents.v;
	k->p.n_contents = k->contents.n;
}

/* Every path once, none beneath what is no directory; hard links get what their target has. */
static bool check_paths(struct packing *k, struct map *names)
{
	struct apk_entry *v = k->p.entries;

	for (size_t i = 0; i < k->p.n_entries; i++)
		if (map_put(names, v[i].name, &v[i]))
			return bad_entry(k, v[i].name, "is a duplicate path");
	for (size_t i = 0; i < k->p.n_entries; i++) {
		const struct apk_entry *up = NULL;
		struct str dir = path_dir(v[i].name);
		while (dir.n && !(up = map_get(names, dir)))
			dir = path_dir(dir);
		if (up && up->type != '5')
			return bad_entry(k, v[i].name, "lies beneath what is no directory");
		if (v[i].type != '1')
			continue;
		up = map_get(names, v[i].link);
		if (!up || up->type != '0')
			return bad_entry(k, v[i].name, "has no hard link target in the package");
	}
	return true;
}

/* What the database has of each: the file's own hash, of a symlink that of its target. */
static void set_sums(struct packing *k, const struct map *names)
{
	uint8_t md[SHA256_SIZE];

	k->p.sums = arena_array_(k->a, SHA1_SIZE, k->p.n_entries + 1);
	k->p.targets = arena_array(k->a, size_t, k->p.n_entries + 1);
	digest_once(DIGEST_SHA256, "", 0, md);
	for (size_t i = 0; i < k->p.n_entries; i++) {
		const struct apk_entry *e = &k->p.entries[i];
		if (e->type == '0')
			memcpy(k->p.sums[i], md, SHA1_SIZE);
	}
	for (size_t i = 0; i < k->p.n_contents; i++)
		memcpy(k->p.sums[k->p.contents[i].entry], k->p.contents[i].sha256, SHA1_SIZE);
	for (size_t i = 0; i < k->p.n_entries; i++) {
		const struct apk_entry *e = &k->p.entries[i], *to;
		if (e->type == '2') {
			digest_once(DIGEST_SHA256, e->link.p, e->link.n, md);
			memcpy(k->p.sums[i], md, SHA1_SIZE);
		} else if (e->type == '1') {
			to = map_get(names, e->link);
			k->p.targets[i] = (size_t)(to - k->p.entries);
			memcpy(k->p.sums[i], k->p.sums[k->p.targets[i]], SHA1_SIZE);
		}
	}
}

/* Scripts and triggers */

static const struct {
	unsigned field;
	const char *name;
} scripts[] = {
	{ 2, ".pre-install" }, { 3, ".post-install" }, { 4, ".pre-deinstall" },
	{ 5, ".post-deinstall" }, { 6, ".pre-upgrade" }, { 7, ".post-upgrade" }, { 1, ".trigger" },
};

static void read_scripts(struct packing *k, const struct adb_obj *package)
{
	struct adb_obj o = adb_obj(package, ADB_PKG_SCRIPTS);

	k->p.scripts = arena_array(k->a, struct apk_script, countof(scripts));
	for (size_t i = 0; i < countof(scripts); i++) {
		struct str text = adb_blob(&o, scripts[i].field);
		if (text.p)
			k->p.scripts[k->p.n_scripts++] = (struct apk_script){
				.name = str_of(scripts[i].name), .text = text, .mode = 0755 };
	}
}

static bool read_triggers(struct packing *k, const struct adb_obj *package)
{
	struct adb_obj list = adb_obj(package, ADB_PKG_TRIGGERS);
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);

	for (uint32_t i = 1; i < list.n; i++) {
		struct str s = adb_blob(&list, i);
		for (size_t at = 0; at < s.n; at++)
			if ((unsigned char)s.p[at] <= ' ' || s.p[at] == 0x7f)
				return bad_entry(k, s, "is an unusable trigger");
		buf_printf(&b, "%s%.*s", b.n ? " " : "", STR_ARG(s));
	}
	k->p.info.triggers = arena_str(k->a, buf_str(&b));
	return true;
}

/* Together */

static bool read_info(struct packing *k, const struct adb_obj *package)
{
	struct adb_obj o = adb_obj(package, ADB_PKG_INFO);
	struct apk_pkg *p = &k->p.info;
	char *hex = arena_alloc(k->a, 2 * SHA256_SIZE + 1);

	if (!adb_info(&o, k->name, k->a, p, k->err))
		return false;
	hex_encode(k->head->sha256, SHA256_SIZE, hex);
	p->datahash = str_of(hex);
	memset(p->checksum, 0, sizeof(p->checksum));
	memcpy(p->checksum, k->head->sha256, SHA1_SIZE);
	p->checksum_n = SHA1_SIZE;
	p->replaces_priority = (int64_t)adb_int(package, ADB_PKG_REPLACES_PRIORITY);
	return p->replaces_priority >= 0 || bad_entry(k, p->name, "has a number out of range");
}

bool adb_pkg_parse(const struct adb_head *h, const char *name, uint64_t max_entries,
	struct arena *a, struct adb_pkg *ret, struct err *err)
{
	auto_map struct map names;
	struct adb_obj package = adb_root(&h->adb);
	struct packing k = { .head = h, .name = name, .a = a, .err = err,
		.max_entries = max_entries };

	map_init(&names, a);
	if (!read_info(&k, &package) || !read_triggers(&k, &package) || !read_paths(&k, &package))
		return false;
	read_scripts(&k, &package);
	join(&k);
	if (!check_paths(&k, &names))
		return false;
	set_sums(&k, &names);
	*ret = k.p;
	return true;
}
