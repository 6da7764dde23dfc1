#include "shared/os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/os/proc.h"

#define CHUNK (256u << 10)
#define MAX_GUESS (64 << 20) /* sizes are not believed beyond */

void fd_close(int *fd)
{
	int keep = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = keep;
}

int fd_steal(int *fd)
{
	int out = *fd;
	*fd = -1;
	return out;
}

/* One read into the buffer, or past its maximum into `extra` to tell a file that is too long.
 * Returns what read returned. */
static ssize_t read_some(int fd, struct buf *b, size_t want)
{
	size_t left = b->max - b->n;
	char extra, *to = left ? buf_room(b, want < left ? want : left) : &extra;
	ssize_t got;
	do {
		got = read(fd, to, !left ? 1 : want < left ? want : left);
	} while (got < 0 && errno == EINTR);
	if (got > 0 && left)
		b->n += (size_t)got;
	return got;
}

bool fd_read_all(int fd, const char *name, struct buf *ret_buf, struct err *err)
{
	struct stat st;
	size_t want = 4096, before = ret_buf->n;
	/* one byte more than the size, so that the end is met without growing */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		want = st.st_size < MAX_GUESS ? (size_t)st.st_size + 1 : MAX_GUESS;
	for (;;) {
		bool full = ret_buf->n == ret_buf->max;
		ssize_t got = read_some(fd, ret_buf, want);
		if (got == 0)
			break;
		if (got > 0 && !full) {
			want = CHUNK;
			continue;
		}
		ret_buf->n = before;
		if (got < 0)
			return err_sys(err, "cannot read '%s'", name);
		return err_set(err, EK_PARSE, "'%s' is longer than %zu bytes", name, ret_buf->max);
	}
	buf_add(ret_buf, "", 0);
	return true;
}

bool file_read(const char *path, struct buf *ret_buf, struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", path);
	return fd_read_all(fd, path, ret_buf, err);
}

bool fd_write_all(int fd, const void *p, size_t n, const char *name, struct err *err)
{
	const char *from = p;
	while (n) {
		ssize_t put = write(fd, from, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put == 0)
			errno = EIO;
		if (put <= 0)
			return err_sys(err, "cannot write '%s'", name);
		from += put;
		n -= (size_t)put;
	}
	return true;
}

bool fd_pread_all(int fd, void *p, size_t n, off_t at, const char *name, struct err *err)
{
	char *to = p;
	while (n) {
		ssize_t got = pread(fd, to, n, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, "cannot read '%s'", name);
		if (got == 0)
			return err_set(err, EK_PARSE, "unexpected end of '%s'", name);
		to += got;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

static bool copy_by_hand(int from, off_t at, int to, off_t n, const char *name, struct err *err)
{
	char *block = malloc(CHUNK);
	bool ok = block != NULL || err_set(err, EK_OTHER, "out of memory");
	while (ok && n) {
		size_t part = n < (off_t)CHUNK ? (size_t)n : CHUNK;
		ok = fd_pread_all(from, block, part, at, name, err) &&
		     fd_write_all(to, block, part, name, err);
		at += (off_t)part;
		n -= (off_t)part;
	}
	free(block);
	return ok;
}

bool fd_copy(int from, off_t from_at, int to, off_t n, const char *name, struct err *err)
{
	while (n) {
		ssize_t got = copy_file_range(from, &from_at, to, NULL, (size_t)n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
				       errno == EOPNOTSUPP || errno == EPERM || errno == EBADF))
			return copy_by_hand(from, from_at, to, n, name, err);
		if (got < 0)
			return err_sys(err, "cannot copy '%s'", name);
		if (got == 0)
			return copy_by_hand(from, from_at, to, n, name, err);
		n -= got;
	}
	return true;
}

/* A new file with a name of its own beside path, or -1. */
static int open_beside(const char *path, mode_t mode, char **ret_tmp)
{
	static atomic_uint serial;
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash - path) + 1 : 0, fd = -1;
	for (int tries = 0; fd < 0 && tries < 1000; tries++) {
		char *tmp;
		if (asprintf(&tmp, "%.*s.tmp-%d-%u", dir, path, (int)getpid(),
			    atomic_fetch_add(&serial, 1)) < 0)
			BUG("out of memory");
		fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		int code = errno;
		if (fd >= 0 && fchmod(fd, mode) == 0) {
			*ret_tmp = tmp;
			return fd;
		}
		if (fd >= 0) {
			code = errno;
			(void)unlink(tmp);
			fd_close(&fd);
		}
		free(tmp);
		errno = code;
		if (code != EEXIST)
			break;
	}
	return -1;
}

bool outfile_open(struct outfile *o, const char *path, mode_t mode, struct err *err)
{
	char *tmp, *copy;
	int fd = open_beside(path, mode, &tmp);
	if (fd < 0)
		return err_sys(err, "cannot write '%s'", path);
	copy = strdup(path);
	if (!copy)
		BUG("out of memory");
	*o = (struct outfile){.fd = fd, .tmp = tmp, .path = copy, .mode = mode};
	return true;
}

bool outfile_commit(struct outfile *o, bool sync, struct err *err)
{
	/* writing has cleared set-id bits, unless we are privileged */
	if ((o->mode & 06000) && fchmod(o->fd, o->mode) != 0)
		return err_sys(err, "cannot set the mode of '%s'", o->path);
	if (sync && fsync(o->fd) != 0)
		return err_sys(err, "cannot write '%s'", o->path);
	int fd = fd_steal(&o->fd);
	if (close(fd) != 0)
		return err_sys(err, "cannot write '%s'", o->path);
	if (rename(o->tmp, o->path) != 0)
		return err_sys(err, "cannot put '%s' in place", o->path);
	free(o->tmp);
	o->tmp = NULL;
	return true;
}

void outfile_release(struct outfile *o)
{
	fd_close(&o->fd);
	if (o->tmp)
		(void)unlink(o->tmp);
	free(o->tmp);
	free(o->path);
	o->tmp = o->path = NULL;
}

bool file_write(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
	auto_outfile struct outfile o = OUTFILE_INIT;
	return outfile_open(&o, path, mode, err) && fd_write_all(o.fd, p, n, path, err) &&
	       outfile_commit(&o, false, err);
}

int file_lock(const char *path, bool wait, struct err *err)
{
	auto_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		(void)err_sys(err, "cannot open the lock '%s'", path);
		return -1;
	}
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
		if (errno == EINTR && !proc_interrupted())
			continue;
		if (errno == EINTR)
			(void)err_set(err, EK_CANCELLED, "interrupted");
		else if (errno == EWOULDBLOCK)
			(void)err_set(err, EK_CONFLICT, "'%s' is locked by another process", path);
		else
			(void)err_sys(err, "cannot lock '%s'", path);
		return -1;
	}
	return fd_steal(&fd);
}
