#include "shared/apk/stamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "shared/base/log.h"
#include "shared/os/fd.h"

#define MAGIC 0x31504d4154535849u
#define MAX_STAMP ((size_t)1 << 20)
#define SETTLED 2	/* seconds: the coarsest times that file systems keep */

/* What must be the same. The digest follows, then the keyring. */
struct head {
	uint64_t magic, dev, ino, size, verified;
	int64_t mtime, mtime_ns, ctime, ctime_ns;
};

static struct head head_of(const struct stat *st, const struct keyring *keys)
{
	return (struct head){ MAGIC, st->st_dev, st->st_ino, (uint64_t)st->st_size, keys != NULL,
		st->st_mtim.tv_sec, st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec };
}

static void stamp_key(const struct stat *st, char *ret, size_t n)
{
	(void)snprintf(ret, n, "stamp-%llx-%llx", (unsigned long long)st->st_dev,
		(unsigned long long)st->st_ino);
}

static void add_text(struct buf *out, struct str text)
{
	const uint64_t n = text.n;
	buf_add(out, &n, sizeof(n));
	buf_addstr(out, text);
}

static void write_stamp(const struct stat *st, const struct keyring *keys,
	const uint8_t digest[SHA256_SIZE], struct buf *out)
{
	const struct head h = head_of(st, keys);
	buf_add(out, &h, sizeof(h));
	buf_add(out, digest, SHA256_SIZE);
	for (size_t i = 0; keys && i < keys->n; i++) {
		add_text(out, keys->v[i].name);
		add_text(out, keys->v[i].pem);
	}
}

bool stamp_find(struct store *s, const struct stat *st, const struct keyring *keys,
	uint8_t ret_digest[SHA256_SIZE])
{
	auto_buf struct buf have = BUF_INIT(MAX_STAMP), want = BUF_INIT(MAX_STAMP);
	auto_err struct err ignored = ERR_INIT;
	char key[64];
	stamp_key(st, key, sizeof(key));
	auto_fd int fd = store_get(s, STORE_INDEX, key);
	if (fd < 0 || !fd_read_all(fd, key, &have, &ignored) ||
		have.n < sizeof(struct head) + SHA256_SIZE)
		return false;
	memcpy(ret_digest, have.p + sizeof(struct head), SHA256_SIZE);
	write_stamp(st, keys, ret_digest, &want);
	return !want.over && str_eq(buf_str(&have), buf_str(&want));
}

static bool settled(const struct stat *before, const struct stat *now)
{
	const struct head a = head_of(before, NULL), b = head_of(now, NULL);
	return memcmp(&a, &b, sizeof(a)) == 0 && time(NULL) - now->st_ctim.tv_sec > SETTLED;
}

void stamp_save(struct store *s, int fd, const struct stat *before, const struct keyring *keys,
	const uint8_t digest[SHA256_SIZE])
{
	auto_buf struct buf text = BUF_INIT(MAX_STAMP);
	auto_err struct err err = ERR_INIT;
	struct stat now;
	char key[64];
	if (fstat(fd, &now) != 0 || !settled(before, &now))
		return;
	write_stamp(&now, keys, digest, &text);
	stamp_key(&now, key, sizeof(key));
	if (!text.over && !store_put(s, STORE_INDEX, key, text.p, text.n, &err))
		log_debug("not noted as verified: %s", err.msg);
}
