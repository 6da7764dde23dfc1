#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/apk/adbpkg.h"
#include "shared/apk/dep.h"
#include "shared/apk/pkgread.h"
#include "shared/apk/tests/made_adb.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

/* Packages and indexes of the v3 format, for tests:
 *
 *	mkadb OUT.apk KEY|- DIR name=N version=V [FIELD=TEXT ...]	of what lies in DIR
 *	mkadb OUT.adb KEY|- index [FIELD=TEXT ...] FILE.apk...	of packages of either format
 *
 * Fields of packages: arch, desc, license, origin, depends, provides, triggers, comp (none,
 * deflate, zstd), post-install (a text) and owner=PATH:USER:GROUP; of indexes: description, spec,
 * bits=160. */

struct inode {
	dev_t dev;
	ino_t ino;
	struct str path;
};
struct file {
	struct str path, link;	/* link: of a symlink, or the first name of a hard link */
	struct stat st;
};
struct dir {
	struct str path;
	mode_t mode;
	VEC(struct file) files;
};
struct option {
	struct str key, val;
};
struct making {
	struct arena a;
	struct made_adb m;
	const char *root;
	VEC(struct option) options;
	VEC(struct dir) dirs;
	VEC(struct inode) seen;
};

static struct str option(const struct making *k, const char *key)
{
	for (size_t i = 0; i < k->options.n; i++)
		if (str_is(k->options.v[i].key, key))
			return k->options.v[i].val;
	return STR_NONE;
}

static uint32_t text(struct making *k, const char *key)
{
	struct str s = option(k, key);
	return s.p ? made_blob(&k->m, s) : 0;
}

static char *c_str(struct making *k, struct str s)
{
	return s.n ? arena_strndup(&k->a, s.p, s.n) : NULL;
}

static uint32_t deps(struct making *k, struct str list, struct err *err)
{
	struct apk_deps d = {0};
	if (!apk_provides_parse(list, &k->a, &d, err))
		return 0;
	uint32_t *v = arena_array(&k->a, uint32_t, d.n + 1);
	for (size_t i = 0; i < d.n; i++) {
		unsigned match = d.v[i].op | (d.v[i].conflict ? 16 | (d.v[i].op ? 0 : 7) : 0);
		v[i] = made_dep(&k->m, c_str(k, d.v[i].name), c_str(k, d.v[i].version),
			match == APK_OP_EQ ? 0 : match);
	}
	return made_obj(&k->m, v, d.n);
}

static bool write_out(struct making *k, const char *path, struct err *err)
{
	static const struct {
		const char *name;
		enum made_comp comp;
	} comps[] = {{"none", MADE_PLAIN}, {"deflate", MADE_DEFLATE}, {"zstd", MADE_ZSTD}};
	auto_buf struct buf b = BUF_INIT(1u << 30);
	enum made_comp comp = MADE_DEFLATE;
	for (size_t i = 0; i < countof(comps); i++)
		if (str_is(option(k, "comp"), comps[i].name))
			comp = comps[i].comp;
	made_adb_file(&k->m, comp, &b);
	return file_write(path, b.p, b.n, 0644, err);
}

static bool sign(struct making *k, const char *key_path, struct err *err)
{
	if (strcmp(key_path, "-") == 0)
		return true;
	auto_sigkey struct sigkey *key = sigkey_load_private(key_path, err);
	if (key)
		made_sig(&k->m, key);
	return key != NULL;
}

/* Packages */

static bool add_entry(const struct dir_entry *e, bool *skip, void *user, struct err *err)
{
	struct making *k = user;
	struct str path = str_of(arena_strdup(&k->a, e->path)), parent = path_dir(path);
	(void)skip;
	if (S_ISDIR(e->st.st_mode)) {
		vec_push(&k->a, &k->dirs, (struct dir){path, e->st.st_mode & 07777, {0}});
		return true;
	}
	struct file f = {.path = path, .st = e->st};
	if (S_ISLNK(e->st.st_mode))
		f.link = str_of(arena_strdup(&k->a, e->link));
	else if (!S_ISREG(e->st.st_mode))
		return err_set(err, EK_USAGE, "'%s' is no file, directory or link", e->path);
	for (size_t i = 0; S_ISREG(e->st.st_mode) && i < k->seen.n; i++)
		if (k->seen.v[i].dev == e->st.st_dev && k->seen.v[i].ino == e->st.st_ino)
			f.link = k->seen.v[i].path;
	if (S_ISREG(e->st.st_mode) && !f.link.p)
		vec_push(&k->a, &k->seen, (struct inode){e->st.st_dev, e->st.st_ino, path});
	for (size_t i = 0; i < k->dirs.n; i++)
		if (str_eq(k->dirs.v[i].path, parent))
			vec_push(&k->a, &k->dirs.v[i].files, f);
	return true;
}

static uint32_t acl_of(struct making *k, struct str path, mode_t mode)
{
	struct str user = S("root"), group = S("root");
	for (size_t i = 0; i < k->options.n; i++) {
		struct str at, rest;
		if (str_is(k->options.v[i].key, "owner") &&
			str_cut(k->options.v[i].val, ':', &at, &rest) && str_eq(at, path))
			(void)str_cut(rest, ':', &user, &group);
	}
	return made_acl(&k->m, mode & 07777, c_str(k, user), c_str(k, group));
}

static char *content(struct making *k, struct str path, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(1u << 28);
	if (!file_read(arena_printf(&k->a, "%s/%.*s", k->root, STR_ARG(path)), &b, err))
		return NULL;
	return arena_strndup(&k->a, b.p ? b.p : "", b.n);
}

static uint32_t file_of(struct making *k, const struct file *f, struct err *err)
{
	char *name = c_str(k, path_base(f->path));
	if (f->link.p)
		return made_link(&k->m, name, S_ISLNK(f->st.st_mode) ? S_IFLNK : S_IFREG, f->link);
	char *bytes = content(k, f->path, err);
	return bytes ? made_file_of(&k->m, name, str_n(bytes, (size_t)f->st.st_size),
			       acl_of(k, f->path, f->st.st_mode))
		     : 0;
}

static uint32_t dir_of(struct making *k, const struct dir *d, struct err *err)
{
	uint32_t *v = arena_array(&k->a, uint32_t, d->files.n + 1);
	for (size_t i = 0; i < d->files.n; i++)
		if (!(v[i] = file_of(k, &d->files.v[i], err)))
			return 0;
	uint32_t files = made_obj(&k->m, v, d->files.n), acl = acl_of(k, d->path, d->mode);
	return made_list(&k->m, d->path.n ? made_blob(&k->m, d->path) : 0, acl, files);
}

static int by_path(const void *a, const void *b)
{
	return str_cmp(((const struct dir *)a)->path, ((const struct dir *)b)->path);
}

static uint32_t paths(struct making *k, struct err *err)
{
	vec_push(&k->a, &k->dirs, (struct dir){.path = S(""), .mode = 0755});
	if (!dir_walk(k->root, add_entry, k, err))
		return 0;
	qsort(k->dirs.v, k->dirs.n, sizeof(k->dirs.v[0]), by_path);
	uint32_t *v = arena_array(&k->a, uint32_t, k->dirs.n + 1);
	for (size_t i = 0; i < k->dirs.n; i++)
		if (!(v[i] = dir_of(k, &k->dirs.v[i], err)))
			return 0;
	return made_obj(&k->m, v, k->dirs.n);
}

static uint32_t words(struct making *k, struct str list)
{
	uint32_t v[100];
	size_t n = 0;
	struct str word;
	while (n < countof(v) && str_word(&list, &word))
		v[n++] = made_blob(&k->m, word);
	return made_obj(&k->m, v, n);
}

static bool add_data(struct making *k, struct err *err)
{
	for (size_t i = 0; i < k->dirs.n; i++)
		for (size_t j = 0; j < k->dirs.v[i].files.n; j++) {
			const struct file *f = &k->dirs.v[i].files.v[j];
			char *bytes = f->link.p ? NULL : content(k, f->path, err);
			if (!f->link.p && !bytes)
				return false;
			if (bytes && f->st.st_size)
				made_bytes(&k->m, (uint32_t)i + 1, (uint32_t)j + 1,
					str_n(bytes, (size_t)f->st.st_size));
		}
	return true;
}

static bool make_package(struct making *k, char **argv, struct err *err)
{
	k->root = argv[3];
	made_adb_init(&k->m, ADB_SCHEMA_PACKAGE);
	uint32_t v[21] = {text(k, "name"), text(k, "version"), 0, text(k, "desc"), text(k, "arch"),
		text(k, "license"), text(k, "origin")};
	v[14] = deps(k, option(k, "depends"), err);
	v[15] = deps(k, option(k, "provides"), err);
	if (err->msg)
		return false;
	uint32_t info = made_obj(&k->m, v, countof(v)), list = paths(k, err);
	uint32_t scripts = made_list(&k->m, 0, 0, text(k, "post-install"));
	uint32_t triggers = words(k, option(k, "triggers"));
	made_adb_root(&k->m, made_list(&k->m, info, list, scripts, triggers));
	return list && sign(k, argv[2], err) && add_data(k, err) &&
	       write_out(k, argv[1], err);
}

/* Indexes */

static bool v3_info(int fd, struct making *k, struct apk_pkg *ret, struct err *err)
{
	auto_adb_source struct adb_source s = {0};
	struct fd_source file;
	struct adb_file f;
	struct adb_head h;
	struct adb_obj root, info;
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "cannot look at it");
	fd_source_init(&file, fd, 0, st.st_size, "package");
	if (!adb_source_open(&s, &file.src, "package", err) ||
		!adb_file_begin(&f, &s.src, "package", err) ||
		!adb_head_read(&f, NULL, APK_MAX_ADB, &k->a, &h, err) ||
		!adb_check(&h.adb, "package", err))
		return false;
	root = adb_root(&h.adb);
	info = adb_obj(&root, ADB_PKG_INFO);
	if (!adb_info(&info, "package", &k->a, ret, err))
		return false;
	ret->file_size = (uint64_t)st.st_size;
	ret->checksum_n = str_is(option(k, "bits"), "160") ? SHA1_SIZE : SHA256_SIZE;
	memcpy(ret->checksum, h.sha256, ret->checksum_n);
	return true;
}

static bool any_info(const char *path, struct making *k, struct apk_pkg *ret, struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct apk_control c;
	char magic[3];
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", path);
	if (pread(fd, magic, 3, 0) == 3 && memcmp(magic, "ADB", 3) == 0)
		return v3_info(fd, k, ret, err);
	if (!apk_read_control(fd, path, &k->a, &c, err))
		return false;
	*ret = c.info;
	return true;
}

static uint32_t blob(struct making *k, struct str s)
{
	return s.n ? made_blob(&k->m, s) : 0;
}

static uint32_t record(struct making *k, const char *path, struct err *err)
{
	struct apk_pkg p;
	if (!any_info(path, k, &p, err))
		return 0;
	struct str sum = {(const char *)p.checksum, p.checksum_n};
	uint32_t v[18] = {blob(k, p.name), blob(k, p.version), blob(k, sum), blob(k, p.desc),
		blob(k, p.arch), blob(k, p.license), blob(k, p.origin)};
	v[11] = made_int(&k->m, p.installed_size);
	v[12] = made_int(&k->m, p.file_size);
	v[14] = deps(k, p.depends, err);
	v[15] = deps(k, p.provides, err);
	v[16] = deps(k, p.replaces, err);
	v[17] = deps(k, p.install_if, err);
	return err->msg ? 0 : made_obj(&k->m, v, countof(v));
}

static bool make_index(struct making *k, char **argv, const struct strs *files, struct err *err)
{
	uint32_t *v = arena_array(&k->a, uint32_t, files->n + 1);
	made_adb_init(&k->m, ADB_SCHEMA_INDEX);
	for (size_t i = 0; i < files->n; i++)
		if (!(v[i] = record(k, files->v[i].p, err)))
			return false;
	uint32_t list = made_obj(&k->m, v, files->n), about = text(k, "description");
	made_adb_root(&k->m, made_list(&k->m, about, list, text(k, "spec")));
	return sign(k, argv[2], err) && write_out(k, argv[1], err);
}

int main(int argc, char **argv)
{
	auto_err struct err err = ERR_INIT;
	struct making k = {0};
	struct strs files = {0};
	if (argc < 5) {
		fputs("usage: mkadb OUT KEY|- DIR|index [FIELD=TEXT ...] [FILE ...]\n", stderr);
		return 1;
	}
	for (int i = 4; i < argc; i++) {
		struct option o;
		if (str_cut(str_of(argv[i]), '=', &o.key, &o.val))
			vec_push(&k.a, &k.options, o);
		else
			strs_push(&k.a, &files, str_of(argv[i]));
	}
	bool ok = strcmp(argv[3], "index") == 0 ? make_index(&k, argv, &files, &err)
						: make_package(&k, argv, &err);
	if (!ok)
		fprintf(stderr, "mkadb: %s\n", err.msg);
	made_adb_release(&k.m);
	arena_release(&k.a);
	return ok ? 0 : 1;
}
