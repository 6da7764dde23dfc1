#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "shared/base/buf.h"
#include "shared/base/err.h"

/* Owned descriptors, whole-file reads, and files that appear whole or not at all. */

#define auto_fd cleanup_with(fd_close)
void fd_close(int *fd);		/* closes if >= 0 and sets -1; errno is kept */
int fd_steal(int *fd);		/* hands the descriptor out, leaving -1 */

/* Reads to the end (at most buf->max bytes: beyond is an error). name is for messages. */
bool fd_read_all(int fd, const char *name, struct buf *ret_buf, struct err *err) must_check;
bool file_read(const char *path, struct buf *ret_buf, struct err *err) must_check;
bool fd_write_all(int fd, const void *p, size_t n, const char *name, struct err *err) must_check;
bool fd_pread_all(int fd, void *p, size_t n, off_t at, const char *name, struct err *err)
	must_check;
/* Copies n bytes with copy_file_range where it can, read/write elsewhere. */
bool fd_copy(int from, off_t from_at, int to, off_t n, const char *name, struct err *err)
	must_check;

/* A file being written under a temporary name in its directory (mode as given, umask ignored).
 * Commit fsyncs when asked, then renames over the target; release without commit removes it. */
struct outfile {
	int fd;
	char *path;	/* owned, final name */
	char *tmp;	/* owned, NULL once committed */
	mode_t mode;
};
#define OUTFILE_INIT { .fd = -1 }
#define auto_outfile cleanup_with(outfile_release)
bool outfile_open(struct outfile *o, const char *path, mode_t mode, struct err *err) must_check;
bool outfile_commit(struct outfile *o, bool sync, struct err *err) must_check;
void outfile_release(struct outfile *o);
/* All three at once. */
bool file_write(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
	must_check;

/* Takes an exclusive flock on `path` (created 0644); returns the descriptor or -1. With wait
 * false a lock that is held gives kind EK_CONFLICT. Closing releases it. */
int file_lock(const char *path, bool wait, struct err *err) must_check;
