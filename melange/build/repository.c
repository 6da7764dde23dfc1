#include "melange/build/repository.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/apk/index.h"
#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

#define STAGING_PREFIX ".melange-"
#define INDEX_NAME "APKINDEX.tar.gz"

static int lock_dir(const char *path, int how)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	while (fd >= 0 && flock(fd, how) != 0) {
		if (errno == EINTR)
			continue;
		fd_close(&fd);
	}
	return fd;
}

/* A staging directory nobody holds the lock of belongs to a build that was killed. */
static bool sweep(const char *dir, struct arena *a, struct err *err)
{
	struct strs names = { 0 };
	if (!dir_names(dir, a, &names, err))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		if (!str_starts(names.v[i], S(STAGING_PREFIX)))
			continue;
		const char *path = arena_printf(a, "%s/%.*s", dir, STR_ARG(names.v[i]));
		auto_fd int lock = lock_dir(path, LOCK_EX | LOCK_NB);
		if (lock >= 0 && !dir_remove(path, err))
			return false;
	}
	return true;
}

bool staging_open(const char *out_dir, const char *arch, struct arena *a, struct staging *ret,
	struct err *err)
{
	ret->dir = arena_printf(a, "%s/%s", out_dir, arch);
	if (!dir_make(ret->dir, 0755, err))
		return err_hint(err, "choose another place with --out-dir");
	/* Between making a staging directory and locking it, a sweep must not come. */
	auto_fd int guard = lock_dir(ret->dir, LOCK_EX);
	if (guard < 0)
		return err_sys(err, "cannot lock the repository '%s'", ret->dir);
	if (!sweep(ret->dir, a, err))
		return false;
	char *tmp = arena_printf(a, "%s/" STAGING_PREFIX "XXXXXX", ret->dir);
	if (!mkdtemp(tmp)) {
		err_sys(err, "cannot write to the output directory '%s'", ret->dir);
		return err_hint(err, "choose another place with --out-dir");
	}
	ret->tmp = tmp;
	ret->lock = lock_dir(tmp, LOCK_EX);
	return ret->lock >= 0 || err_sys(err, "cannot lock '%s'", tmp);
}

void staging_release(struct staging *s)
{
	auto_err struct err err = ERR_INIT;
	if (s->tmp && !dir_remove(s->tmp, &err))
		log_warn("cannot remove the staging directory: %s", err.msg);
	s->tmp = NULL;
	fd_close(&s->lock);
}

/* The index as it is now, empty when there is none. Its signature is replaced, so it is not
 * asked for. */
static bool read_index(const char *path, struct arena *a, struct apk_index *ret, struct err *err)
{
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return true;
	auto_buf struct buf bytes = BUF_INIT(1u << 30);
	const struct index_read_opts opts = { .name = path };
	if (!file_read(path, &bytes, err))
		return false;
	return index_read(arena_str(a, buf_str(&bytes)), &opts, a, ret, err) ||
		err_hint(err, "the repository's index is damaged; make it again with 'melange index'");
}

/* Written into the staging directory, not yet in its place: what a kill leaves of it goes with
 * the directory. */
static bool prepare_index(const struct staging *s, const struct apk_pkg *records, size_t n,
	const struct sigkey *key, const char *key_path, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct apk_index index = { 0 };
	auto_buf struct buf out = BUF_INIT(1u << 30);
	if (!read_index(arena_printf(&a, "%s/" INDEX_NAME, s->dir), &a, &index, err))
		return false;
	index_merge(&index, records, n, &a);
	return index_write(&index, key, key_path, &out, err) &&
		file_write(arena_printf(&a, "%s/" INDEX_NAME, s->tmp), out.p, out.n, 0644, err);
}

static bool move_one(const struct staging *s, struct str name, struct arena *a, struct err *err)
{
	const char *from = arena_printf(a, "%s/%.*s", s->tmp, STR_ARG(name));
	const char *to = arena_printf(a, "%s/%.*s", s->dir, STR_ARG(name));
	return rename(from, to) == 0 ||
		err_sys(err, "cannot move the finished '%s' into the repository", to);
}

/* The packages, and then the index which names them. */
static bool move_in(const struct staging *s, bool with_index, struct arena *a, struct err *err)
{
	struct strs names = { 0 };
	if (!dir_names(s->tmp, a, &names, err))
		return false;
	for (size_t i = 0; i < names.n; i++) {
		if (str_eq(names.v[i], S(INDEX_NAME)))
			continue;
		if (!move_one(s, names.v[i], a, err))
			return false;
		log_info("wrote %s/%.*s", s->dir, STR_ARG(names.v[i]));
	}
	return !with_index || move_one(s, S(INDEX_NAME), a, err);
}

bool staging_publish(struct staging *s, bool update_index, const struct apk_pkg *records,
	size_t n, const struct sigkey *key, const char *key_path, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_fd int lock = lock_dir(s->dir, LOCK_EX);
	if (lock < 0)
		return err_sys(err, "cannot lock the repository '%s'", s->dir);
	if (update_index && !prepare_index(s, records, n, key, key_path, err))
		return false;
	return move_in(s, update_index, &a, err);
}
