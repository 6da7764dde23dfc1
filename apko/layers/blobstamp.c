#include "apko/layers/blobstamp.h"

#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/base/log.h"
#include "shared/crypto/digest.h"
#include "shared/os/fd.h"

#define MAGIC "apkblob\1" /* the last byte is the version */
#define READ_SIZE (256u << 10)

struct stamp {
	char magic[8];
	uint64_t dev, ino, size;
	int64_t mtime, mtime_nsec, ctime, ctime_nsec;
	uint32_t crc, zero;
};
_Static_assert(sizeof(struct stamp) == 72, "padding in struct stamp");

static void key_of(const char *hex, char key[80])
{
	(void)snprintf(key, 80, "blob-%.64s", hex);
}

static bool look(int fd, struct stamp *ret)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	*ret = (struct stamp){
		.magic = MAGIC,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = (uint64_t)st.st_size,
		.mtime = st.st_mtim.tv_sec,
		.mtime_nsec = st.st_mtim.tv_nsec,
		.ctime = st.st_ctim.tv_sec,
		.ctime_nsec = st.st_ctim.tv_nsec,
	};
	return true;
}

static void save(struct store *s, const char *hex, const struct stamp *stamp)
{
	auto_err struct err err = ERR_INIT;
	char key[80];
	key_of(hex, key);
	if (!store_put(s, STORE_PLAN, key, stamp, sizeof(*stamp), &err))
		log_debug("layer not recorded: %s", err.msg);
}

void blobstamp_put(struct store *s, const char *hex, uint32_t crc)
{
	auto_fd int fd = store_get(s, STORE_LAYER, hex);
	struct stamp now;
	if (!look(fd, &now))
		return;
	now.crc = crc;
	save(s, hex, &now);
}

static bool recorded(struct store *s, const char *hex, struct stamp *ret)
{
	auto_err struct err err = ERR_INIT;
	char key[80];
	key_of(hex, key);
	auto_fd int fd = store_get(s, STORE_PLAN, key);
	return fd >= 0 && fd_pread_all(fd, ret, sizeof(*ret), 0, key, &err) &&
	       memcmp(ret->magic, MAGIC, sizeof(ret->magic)) == 0;
}

struct summing {
	struct digest hash;
	bool hashed;
	uint32_t crc;
};

static bool sum(int fd, uint64_t size, struct summing *s)
{
	auto_err struct err err = ERR_INIT;
	char *p = malloc(READ_SIZE);
	bool ok = p != NULL;
	for (uint64_t at = 0; ok && at < size;) {
		size_t n = size - at < READ_SIZE ? (size_t)(size - at) : READ_SIZE;
		ok = fd_pread_all(fd, p, n, (off_t)at, "layer", &err);
		if (!ok)
			break;
		s->crc = libdeflate_crc32(s->crc, p, n);
		if (s->hashed)
			digest_add(&s->hash, p, n);
		at += n;
	}
	free(p);
	return ok;
}

static bool crc_holds(int fd, const struct stamp *then)
{
	struct summing s = {0};
	return sum(fd, then->size, &s) && s.crc == then->crc;
}

static bool hash_holds(int fd, uint64_t size, const char *hex, uint32_t *ret_crc)
{
	struct summing s = {.hashed = true};
	uint8_t md[SHA256_SIZE];
	char got[2 * SHA256_SIZE + 1];
	digest_init(&s.hash, DIGEST_SHA256);
	bool ok = sum(fd, size, &s);
	digest_final(&s.hash, md);
	digest_release(&s.hash);
	hex_encode(md, sizeof(md), got);
	*ret_crc = s.crc;
	return ok && strcmp(got, hex) == 0;
}

static bool holds(struct store *s, const char *hex, uint64_t size, int fd)
{
	struct stamp now, then;
	if (!look(fd, &now) || now.size != size)
		return false;
	bool known = recorded(s, hex, &then) && then.size == size && then.dev == now.dev &&
		     then.ino == now.ino && then.mtime == now.mtime &&
		     then.mtime_nsec == now.mtime_nsec;
	if (known && then.ctime == now.ctime && then.ctime_nsec == now.ctime_nsec)
		return true;
	now.crc = known ? then.crc : 0;
	if (known ? !crc_holds(fd, &then) : !hash_holds(fd, size, hex, &now.crc))
		return false;
	save(s, hex, &now);
	return true;
}

bool blobstamp_holds(struct store *s, const char *hex, uint64_t size)
{
	auto_fd int fd = store_get(s, STORE_LAYER, hex);
	if (fd < 0)
		return false;
	if (holds(s, hex, size, fd))
		return true;
	log_debug("layer %s of the store was changed: made again", hex);
	store_drop(s, STORE_LAYER, hex);
	return false;
}
