#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/apk/pkgwrite.h"
#include "shared/base/num.h"
#include "shared/os/dir.h"

/* mkapk OUT.apk KEY|- DIR name=N version=V arch=A [FIELD=TEXT ...]: a package of what lies in
 * DIR, owned by root, for tests and measurements. `time` is that of every entry and of the build.
 */

static const struct {
	const char *key;
	size_t offset;
} fields[] = {
	{"name", offsetof(struct apk_pkg, name)},
	{"version", offsetof(struct apk_pkg, version)},
	{"arch", offsetof(struct apk_pkg, arch)},
	{"desc", offsetof(struct apk_pkg, desc)},
	{"license", offsetof(struct apk_pkg, license)},
	{"origin", offsetof(struct apk_pkg, origin)},
	{"depends", offsetof(struct apk_pkg, depends)},
	{"provides", offsetof(struct apk_pkg, provides)},
	{"replaces", offsetof(struct apk_pkg, replaces)},
	{"install_if", offsetof(struct apk_pkg, install_if)},
};

struct inode {
	dev_t dev;
	ino_t ino;
	struct str name;
};
struct making {
	struct arena a;
	int dirfd;
	struct apk_pkg info;
	VEC(struct pkgwrite_entry) entries;
	VEC(struct inode) seen; /* inodes with several names */
};

static bool set_field(struct making *m, struct str arg, struct err *err)
{
	struct str key, val;
	if (!str_cut(arg, '=', &key, &val))
		return err_set(err, EK_USAGE, "'%.*s' is not FIELD=TEXT", STR_ARG(arg));
	if (str_is(key, "provider_priority"))
		return num_i64(val, &m->info.provider_priority) ||
		       err_set(err, EK_USAGE, "'%.*s' is no priority", STR_ARG(val));
	if (str_is(key, "time"))
		return num_i64(val, &m->info.build_time) ||
		       err_set(err, EK_USAGE, "'%.*s' is no time", STR_ARG(val));
	for (size_t i = 0; i < countof(fields); i++)
		if (str_is(key, fields[i].key)) {
			*(struct str *)((char *)&m->info + fields[i].offset) = val;
			return true;
		}
	return err_set(err, EK_USAGE, "no field '%.*s'", STR_ARG(key));
}

static struct str earlier_name(struct making *m, const struct dir_entry *e, struct str name)
{
	for (size_t i = 0; i < m->seen.n; i++)
		if (m->seen.v[i].dev == e->st.st_dev && m->seen.v[i].ino == e->st.st_ino)
			return m->seen.v[i].name;
	if (e->st.st_nlink > 1)
		vec_push(&m->a, &m->seen, (struct inode){e->st.st_dev, e->st.st_ino, name});
	return STR_NONE;
}

static bool add_entry(const struct dir_entry *e, bool *skip, void *user, struct err *err)
{
	struct making *m = user;
	struct pkgwrite_entry n = {
		.name = str_of(arena_strdup(&m->a, e->path)),
		.mode = e->st.st_mode & 07777,
		.uname = S("root"),
		.gname = S("root"),
		.dirfd = m->dirfd,
	};
	(void)skip;
	if (S_ISDIR(e->st.st_mode)) {
		n.type = '5';
	} else if (S_ISLNK(e->st.st_mode)) {
		n.type = '2';
		n.mode = 0777;
		n.link = str_of(arena_strdup(&m->a, e->link));
	} else if (S_ISREG(e->st.st_mode)) {
		n.link = earlier_name(m, e, n.name);
		n.type = n.link.n ? '1' : '0';
		n.size = (uint64_t)e->st.st_size;
		n.path = n.name.p;
	} else {
		return err_set(err, EK_USAGE, "'%s' is no file, directory or link", e->path);
	}
	vec_push(&m->a, &m->entries, n);
	return true;
}

static bool make(struct making *m, char **argv, struct err *err)
{
	bool sign = strcmp(argv[2], "-") != 0;
	struct pkgwrite_result result;
	for (char **arg = argv + 4; *arg; arg++)
		if (!set_field(m, str_of(*arg), err))
			return false;
	m->dirfd = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dirfd < 0)
		return err_sys(err, "cannot open '%s'", argv[3]);
	auto_sigkey struct sigkey *key = sign ? sigkey_load_private(argv[2], err) : NULL;
	if ((sign && !key) || !dir_walk(argv[3], add_entry, m, err))
		return false;
	const struct pkginfo_extra extra = {0};
	const struct pkgwrite w = {
		.entries = m->entries.v,
		.n = m->entries.n,
		.mtime = m->info.build_time,
		.info = &m->info,
		.extra = &extra,
		.key = key,
		.key_path = argv[2],
		.pool = pool_new(0),
		.path = argv[1],
	};
	bool ok = pkgwrite(&w, &result, err);
	pool_free(w.pool);
	return ok;
}

int main(int argc, char **argv)
{
	auto_err struct err err = ERR_INIT;
	struct making m = {.dirfd = -1};
	if (argc < 7) {
		fputs("usage: mkapk OUT.apk KEY|- DIR name=N version=V arch=A [FIELD=TEXT ...]\n",
			stderr);
		return 1;
	}
	bool ok = make(&m, argv, &err);
	if (!ok)
		fprintf(stderr, "mkapk: %s\n", err.msg);
	if (m.dirfd >= 0)
		close(m.dirfd);
	arena_release(&m.a);
	return ok ? 0 : 1;
}
