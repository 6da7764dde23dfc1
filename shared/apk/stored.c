#include "shared/apk/stored.h"

#include <libdeflate.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/apk/adbexpand.h"
#include "shared/base/log.h"
#include "shared/os/fd.h"

#define CONTROL_MAGIC "apkctl\0\1"	/* the last byte is the version */
#define ADB_MAGIC "apkadb\0\1"
#define OBJECT_MAX (1ull << 30)
#define READ_SIZE (256u << 10)

struct control_head {
	char magic[8];
	uint32_t check;		/* CRC-32 of everything behind it */
	uint32_t zero;
	uint64_t control_n;	/* bytes of inflated control section that follow */
	uint64_t file_size;
	struct apk_range sig, control, data;
	uint8_t sig_sha1[20], control_sha1[20];
	uint8_t control_sha256[32], data_sha256[32];
};
_Static_assert(sizeof(struct control_head) == 184, "padding in struct control_head");

static uint32_t check_of(const char *bytes, size_t n)
{
	size_t from = offsetof(struct control_head, zero);

	return libdeflate_crc32(0, bytes + from, n - from);
}

/* A whole object into the arena; n 0 when it is not there or cannot be read. */
static struct str read_object(struct store *s, enum store_kind kind, const char *key,
	struct arena *a)
{
	auto_fd int fd = store_get(s, kind, key);
	auto_err struct err err = ERR_INIT;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size > OBJECT_MAX)
		return STR_NONE;
	size_t n = (size_t)st.st_size;
	char *p = arena_alloc(a, n + 1);
	if (!fd_pread_all(fd, p, n, 0, key, &err))
		return STR_NONE;
	return str_n(p, n);
}

/* The data tar against its table */

static bool stamp_of(int fd, struct enttab_stamp *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	*ret = (struct enttab_stamp){
		.size = (uint64_t)st.st_size, .ino = st.st_ino,
		.mtime = st.st_mtim.tv_sec, .mtime_nsec = st.st_mtim.tv_nsec,
	};
	return true;
}

static bool same_stamp(const struct enttab_stamp *a, const struct enttab_stamp *b)
{
	return a->size == b->size && a->ino == b->ino && a->mtime == b->mtime &&
		a->mtime_nsec == b->mtime_nsec;
}

static bool crc_holds(int fd, uint64_t size, uint32_t want, char *buf)
{
	auto_err struct err err = ERR_INIT;
	uint32_t crc = 0;

	for (uint64_t at = 0; at < size;) {
		size_t n = size - at < READ_SIZE ? (size_t)(size - at) : READ_SIZE;
		if (!fd_pread_all(fd, buf, n, (off_t)at, "data tar", &err))
			return false;
		crc = libdeflate_crc32(crc, buf, n);
		at += n;
	}
	return crc == want;
}

static bool content_holds(int fd, const struct apk_entry *e, struct digest *d, char *buf)
{
	auto_err struct err err = ERR_INIT;
	uint8_t md[SHA1_SIZE];

	digest_init(d, DIGEST_SHA1);
	for (uint64_t at = 0; at < e->size;) {
		size_t n = e->size - at < READ_SIZE ? (size_t)(e->size - at) : READ_SIZE;
		if (!fd_pread_all(fd, buf, n, (off_t)(e->off + at), "data tar", &err))
			return false;
		digest_add(d, buf, n);
		at += n;
	}
	digest_final(d, md);
	return memcmp(md, e->sha1, SHA1_SIZE) == 0;
}

/* The CRC covers every byte against accidents, the SHA-1 of each file what is taken out. */
static bool data_holds(int fd, const struct enttab_loaded *t, struct arena *a)
{
	auto_digest struct digest d = { 0 };
	char *buf = arena_alloc(a, READ_SIZE);

	if (!crc_holds(fd, t->stamp.size, t->crc, buf))
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (t->entries[i].type == '0' && !content_holds(fd, &t->entries[i], &d, buf))
			return false;
	return true;
}

static bool data_checks(struct store *s, int fd, const char *key, struct str table,
	const struct enttab_loaded *t)
{
	auto_arena struct arena scratch = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct enttab_stamp now;

	if (!stamp_of(fd, &now) || now.size != t->stamp.size)
		return false;
	if (same_stamp(&now, &t->stamp))
		return true;
	log_debug("cached data '%s' is not the file that was written, checking it", key);
	if (!data_holds(fd, t, &scratch))
		return false;
	char *copy = arena_dup(&scratch, table.p, table.n);
	enttab_restamp(copy, table.n, &now);
	if (!store_put(s, STORE_ENTRIES, key, copy, table.n, &err))
		log_debug("%s", err.msg);
	return true;
}

static void fill_data(struct apk_file *f, const struct enttab_loaded *t, int *fd, const char *key,
	struct arena *a)
{
	f->entries = t->entries;
	f->n_entries = t->n;
	f->data_size = t->stamp.size;
	f->data = (struct blob){ .fd = fd_steal(fd), .id = arena_str(a, str_of(key)) };
	f->data.name = f->data.id.p;
}

bool stored_get_data(struct store *s, const uint8_t datahash[32], struct arena *a,
	struct apk_file *f)
{
	char key[2 * SHA256_SIZE + 1];
	struct enttab_loaded t;

	hex_encode(datahash, SHA256_SIZE, key);
	auto_fd int fd = store_get(s, STORE_DATA, key);
	if (fd < 0)
		return false;
	struct str table = read_object(s, STORE_ENTRIES, key, a);
	if (enttab_load(table, a, &t) && data_checks(s, fd, key, table, &t)) {
		fill_data(f, &t, &fd, key, a);
		return true;
	}
	store_drop(s, STORE_ENTRIES, key);
	store_drop(s, STORE_DATA, key);
	return false;
}

bool stored_put_data(struct store *s, struct store_new *new, const struct enttab *t,
	uint32_t crc, const uint8_t datahash[32], struct arena *a, struct apk_file *f,
	struct err *err)
{
	auto_buf struct buf table = BUF_INIT(BUF_NOLIMIT);
	char key[2 * SHA256_SIZE + 1];
	struct enttab_stamp stamp;
	struct enttab_loaded loaded;

	hex_encode(datahash, SHA256_SIZE, key);
	if (!store_commit(new, STORE_DATA, key, err))
		return false;
	if (!stamp_of(new->fd, &stamp))
		return err_sys(err, "cannot look at cached data '%s'", key);
	enttab_write(t, &stamp, crc, &table);
	if (!store_put(s, STORE_ENTRIES, key, table.p, table.n, err))
		return false;
	/* Taken from the block itself, so that what is seen now is what will be seen later. */
	char *bytes = arena_dup(a, table.p, table.n);
	if (!enttab_load(str_n(bytes, table.n), a, &loaded))
		BUG("entry table of '%s' does not load", key);
	fill_data(f, &loaded, &new->fd, key, a);
	return true;
}

/* Control section */

static bool put_control(struct store *s, const uint8_t *sum, size_t n, const struct buf *b,
	struct err *err)
{
	char key[2 * SHA256_SIZE + 1];

	hex_encode(sum, n, key);
	return store_put(s, STORE_CONTROL, key, b->p, b->n, err);
}

static void set_data_name(struct apk_file *f, struct arena *a)
{
	f->data.name = apk_pkg_nv(&f->info, a).p;
}

/* Head and bytes, under the checksum(s). */
static bool put_object(struct store *s, struct control_head *h, struct str control,
	const struct apk_pkg *expect, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);

	buf_add(&b, h, sizeof(*h));
	buf_addstr(&b, control);
	h->check = check_of(b.p, b.n);
	memcpy(b.p, h, sizeof(*h));
	return put_control(s, h->control_sha1, SHA1_SIZE, &b, err) &&
		(!expect || expect->checksum_n != SHA256_SIZE ||
			put_control(s, h->control_sha256, SHA256_SIZE, &b, err));
}

static struct control_head head_of(const struct apk_file *f, const char *magic, size_t n)
{
	struct control_head h = {
		.control_n = n, .file_size = f->info.file_size,
		.sig = f->sig_range, .control = f->control_range, .data = f->data_range,
	};

	memcpy(h.magic, magic, sizeof(h.magic));
	memcpy(h.sig_sha1, f->sig_sha1, sizeof(h.sig_sha1));
	memcpy(h.control_sha1, f->control_sha1, sizeof(h.control_sha1));
	memcpy(h.data_sha256, f->data_sha256, sizeof(h.data_sha256));
	return h;
}

bool stored_put_control(struct store *s, const struct apk_front *front,
	const struct apk_pkg *expect, struct apk_file *f, struct arena *a, struct err *err)
{
	struct control_head h = head_of(f, CONTROL_MAGIC, front->control_tar.n);

	digest_once(DIGEST_SHA256, front->control_gz.p, front->control_gz.n, h.control_sha256);
	if (!put_object(s, &h, front->control_tar, expect, err))
		return false;
	f->control = front->control_tar;
	f->scripts = front->scripts;
	f->n_scripts = front->n_scripts;
	set_data_name(f, a);
	return true;
}

bool stored_put_adb(struct store *s, struct str payload, const uint8_t sha256[32],
	const struct apk_pkg *expect, struct apk_file *f, struct arena *a, struct err *err)
{
	struct control_head h = head_of(f, ADB_MAGIC, payload.n);

	memcpy(h.control_sha256, sha256, sizeof(h.control_sha256));
	if (!put_object(s, &h, payload, expect, err))
		return false;
	f->control = payload;
	set_data_name(f, a);
	return true;
}

static bool is_adb(const struct control_head *h)
{
	return memcmp(h->magic, ADB_MAGIC, sizeof(h->magic)) == 0;
}

static bool load_control_head(struct str bytes, const uint8_t *sum, uint8_t sum_n,
	struct control_head *h)
{
	if (bytes.n < sizeof(*h))
		return false;
	memcpy(h, bytes.p, sizeof(*h));
	const uint8_t *have = sum_n == SHA256_SIZE ? h->control_sha256 : h->control_sha1;
	return (is_adb(h) || memcmp(h->magic, CONTROL_MAGIC, sizeof(h->magic)) == 0) &&
		h->check == check_of(bytes.p, bytes.n) && memcmp(have, sum, sum_n) == 0 &&
		h->control_n == bytes.n - sizeof(*h);
}

/* *ret_data: what the data is stored under. */
static bool load_control(struct str bytes, const uint8_t *sum, uint8_t sum_n, struct arena *a,
	struct apk_file *f, uint8_t ret_data[SHA256_SIZE])
{
	auto_err struct err err = ERR_INIT;
	struct control_head h;

	if (!load_control_head(bytes, sum, sum_n, &h))
		return false;
	f->control = str_from(bytes, sizeof(h));
	if (!(is_adb(&h) ? adb_reopen(f->control, h.control_sha256, a, f)
			 : apk_control_parse(&f->control, a, &f->info, &f->scripts, &f->n_scripts,
				   &err)))
		return false;
	f->info.file_size = h.file_size;
	f->info.checksum_n = SHA1_SIZE;
	memcpy(f->info.checksum, h.control_sha1, SHA1_SIZE);
	f->sig_range = h.sig;
	f->control_range = h.control;
	f->data_range = h.data;
	memcpy(f->sig_sha1, h.sig_sha1, sizeof(f->sig_sha1));
	memcpy(f->control_sha1, h.control_sha1, sizeof(f->control_sha1));
	memcpy(f->data_sha256, h.data_sha256, sizeof(f->data_sha256));
	memcpy(ret_data, is_adb(&h) ? h.control_sha256 : h.data_sha256, SHA256_SIZE);
	return true;
}

/* The parts of a v3 package have to be of one mind on how many entries there are. */
static bool same_entries(struct apk_file *f, size_t n)
{
	if (!f->sums || f->n_entries == n)
		return true;
	apk_file_close(f);
	return false;
}

bool apk_open_stored(struct store *st, const uint8_t *sum, uint8_t sum_n, struct arena *a,
	struct apk_file *ret, struct err *err)
{
	char key[2 * SHA256_SIZE + 1];
	uint8_t data[SHA256_SIZE];
	struct apk_file f = { .data.fd = -1 };

	(void)err;
	if (sum_n != SHA1_SIZE && sum_n != SHA256_SIZE)
		return false;
	hex_encode(sum, sum_n, key);
	struct str bytes = read_object(st, STORE_CONTROL, key, a);
	if (bytes.n == 0)
		return false;
	if (!load_control(bytes, sum, sum_n, a, &f, data)) {
		store_drop(st, STORE_CONTROL, key);
		return false;
	}
	size_t n = f.n_entries;
	if (!stored_get_data(st, data, a, &f) || !same_entries(&f, n))
		return false;
	set_data_name(&f, a);
	*ret = f;
	return true;
}
