#include "apko/oci/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apko/oci/layercopy.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

#define LINK_TRIES 100

const char oci_layout_text[] = "{\n    \"imageLayoutVersion\": \"1.0.0\"\n}";

static bool is_ours(const char *path, const struct stat *st)
{
	struct stat there;
	if (lstat(path, &there) < 0 || !S_ISREG(there.st_mode))
		return false;
	if (there.st_dev == st->st_dev && there.st_ino == st->st_ino)
		return true;
	return there.st_size == st->st_size && (there.st_mode & 07777) == 0644 &&
		there.st_mtim.tv_sec == st->st_mtim.tv_sec &&
		there.st_mtim.tv_nsec == st->st_mtim.tv_nsec;
}

/* False where links cannot be had; then it is copied. */
static bool link_blob(int fd, const struct stat *st, const char *from, const char *path,
	struct arena *a)
{
	if ((st->st_mode & 07777) != 0644 && fchmod(fd, 0644) < 0)
		return false;
	const char *tmp = path;
	unsigned tries = 0;
	while (link(from, tmp) < 0) {
		if (errno != EEXIST || tries++ == LINK_TRIES)
			return false;
		tmp = arena_printf(a, "%s.%ld.%u", path, (long)getpid(), tries);
	}
	/* Where something else had the name, the link is renamed over it; nothing happens when that
	 * is the same file, which another build has just linked. */
	if (tmp == path)
		return true;
	bool ok = rename(tmp, path) == 0;
	(void)unlink(tmp);
	return ok;
}

static bool copy_blob(int fd, const struct stat *st, const struct oci_layer *l, const char *path,
	struct err *err)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, st->st_mtim };
	auto_outfile struct outfile out = OUTFILE_INIT;
	if (!outfile_open(&out, path, 0644, err) ||
		!oci_layer_copy(l, fd, out.fd, path, err))
		return false;
	if (futimens(out.fd, times) < 0)
		return err_sys(err, "cannot set the time of '%s'", path);
	return outfile_commit(&out, false, err);
}

static bool put_layer(const char *blobs, const struct oci_layer *l, struct arena *a,
	struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", blobs, l->desc.hex);
	auto_fd int fd = open(l->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "cannot open layer '%s'", l->path);
	if ((uint64_t)st.st_size != l->desc.size)
		return err_set(err, EK_OTHER, "layer '%s' has %lld bytes instead of %llu", l->path,
			(long long)st.st_size, (unsigned long long)l->desc.size);
	return is_ours(path, &st) || (!l->foreign && link_blob(fd, &st, l->path, path, a)) ||
		copy_blob(fd, &st, l, path, err);
}

static bool put(const char *dir, const char *name, struct str bytes, struct arena *a,
	struct err *err)
{
	return file_write(arena_printf(a, "%s/%s", dir, name), bytes.p, bytes.n, 0644, err);
}

static bool put_image(const char *blobs, const struct oci_image *img, struct arena *a,
	struct err *err)
{
	for (size_t i = 0; i < img->n_layers; i++)
		if (!put_layer(blobs, &img->layers[i], a, err))
			return false;
	return put(blobs, img->config.hex, img->config_json, a, err) &&
		put(blobs, img->manifest.hex, img->manifest_json, a, err);
}

bool oci_layout_write(const char *dir, const struct oci_image *imgs, size_t n, struct str index,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	const char *blobs = arena_printf(&a, "%s/blobs/sha256", dir);
	if (!dir_make(blobs, 0755, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!put_image(blobs, &imgs[i], &a, err))
			return false;
	return put(dir, "oci-layout", str_of(oci_layout_text), &a, err) &&
		put(dir, "index.json", index, &a, err);
}
