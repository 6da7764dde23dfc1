#include "shared/apk/expand.h"

#include <inttypes.h>
#include <libdeflate.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/apk/adbexpand.h"
#include "shared/apk/enttab.h"
#include "shared/apk/keyring.h"
#include "shared/apk/pkgread.h"
#include "shared/apk/stored.h"
#include "shared/archive/gz.h"
#include "shared/base/log.h"
#include "shared/os/fd.h"
#include "shared/os/proc.h"

#define STREAM_SIZE (256u << 10)	/* of the buffer between inflating and parsing */
#define SMALL_WHOLE (1u << 20)		/* inflated at once without asking */
#define MAX_RATIO 1040			/* deflate's own limit is 1032 */
#define ALARM_RATIO 500

/* Inflating at once is twice as fast as streaming, but takes the memory of the whole data tar.
 * All packages in flight together stay under this, whatever the number of threads; those that
 * find too little left are streamed. The bytes that come out are the same. */
#define WHOLE_BUDGET (96u << 20)
#define WHOLE_MAX (72u << 20)	/* of one package, which leaves something to the others */
static atomic_size_t whole_in_use;

static bool reserve(size_t n)
{
	size_t used = atomic_load(&whole_in_use);

	do {
		if (n > WHOLE_BUDGET || used > WHOLE_BUDGET - n)
			return false;
	} while (!atomic_compare_exchange_weak(&whole_in_use, &used, used + n));
	return true;
}

struct expand {
	int fd;
	const char *name;
	const struct apk_pkg *expect;
	struct apk_limits lim;
	struct store *store;
	const char *cache;	/* where the store is, for messages */
	struct arena *arena;	/* the caller's */
	struct arena scratch;
	uint64_t file_size;
	struct apk_front front;
	uint8_t datahash[SHA256_SIZE];
	uint32_t data_crc, data_isize;	/* as the gzip trailer has them */
	uint64_t data_n;		/* compressed */
};

/* What was expected */

static bool text_agrees(const char *what, struct str want, struct str got, struct err *err)
{
	if (want.n == 0 || str_eq(want, got))
		return true;
	return err_set(err, EK_TRUST, "%s mismatch: expected '%.*s', got '%.*s'", what,
		STR_ARG(want), STR_ARG(got));
}

static bool size_agrees(uint64_t want, uint64_t got, struct err *err)
{
	return want == 0 || want == got ||
		err_set(err, EK_TRUST, "size mismatch: expected %" PRIu64 " bytes, got %" PRIu64,
			want, got);
}

bool apk_info_agrees(const struct apk_pkg *got, const struct apk_pkg *want, struct err *err)
{
	/* Indexes list packages of no architecture under the one they serve. */
	bool any_arch = str_is(got->arch, "noarch");

	return size_agrees(want->file_size, got->file_size, err) &&
		text_agrees("name", want->name, got->name, err) &&
		text_agrees("version", want->version, got->version, err) &&
		(any_arch || text_agrees("architecture", want->arch, got->arch, err));
}

static bool control_agrees(struct expand *x, struct err *err)
{
	const struct apk_pkg *want = x->expect;
	struct apk_pkg got = { .checksum_n = want->checksum_n };
	struct str gz = x->front.control_gz;

	if (want->checksum_n == 0 && !want->index)
		return true;
	if (want->checksum_n)
		digest_once(want->checksum_n == SHA256_SIZE ? DIGEST_SHA256 : DIGEST_SHA1, gz.p,
			gz.n, got.checksum);
	else
		got = x->front.info;
	if (want->checksum_n && memcmp(want->checksum, got.checksum, want->checksum_n) == 0)
		return true;
	return err_set(err, EK_TRUST, "control hash mismatch: expected %.*s, got %.*s",
		STR_ARG(apk_pkg_q(want, x->arena)), STR_ARG(apk_pkg_q(&got, x->arena)));
}

/* A signature by a key that is known is wrong on no innocent package. */
static bool signature_agrees(const struct expand *x, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct str gz = x->front.control_gz, wrong = STR_NONE;
	struct apk_sig *sigs = NULL;
	size_t n = 0;

	if (!x->lim.keys || !x->front.sig_gz.n)
		return true;
	if (!apk_sigs_parse(x->front.sig_tar, "signature section", &scratch, &sigs, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct keyring_key *key = keyring_find(x->lim.keys, sigs[i].key_name);
		uint8_t md[DIGEST_MAX];
		const struct sigkey *parsed;
		if (!key)
			continue;
		parsed = keyring_key(key, err);
		if (!parsed)
			return false;
		digest_once(sigs[i].alg, gz.p, gz.n, md);
		if (sigkey_verify(parsed, sigs[i].alg, md, sigs[i].sig.p, sigs[i].sig.n))
			return true;
		wrong = sigs[i].key_name;
	}
	return !wrong.n || err_set(err, EK_TRUST,
		"bad signature: '%.*s' did not sign the control section", STR_ARG(wrong));
}

/* The data section's compressed bytes: from what was read with the front, then from the file. */

struct data_source {
	struct source src;
	const struct expand *x;
	uint64_t at;
};

static ssize_t data_read(struct source *src, void *p, size_t n, struct err *err)
{
	struct data_source *s = (struct data_source *)src;
	const struct str front = s->x->front.bytes;
	uint64_t left = s->x->file_size - s->at;

	if (!proc_check(err))
		return -1;
	if (n > left)
		n = (size_t)left;
	if (s->at < front.n && n > front.n - s->at)
		n = (size_t)(front.n - s->at);
	if (s->at < front.n)
		memcpy(p, front.p + s->at, n);
	else if (n && !fd_pread_all(s->x->fd, p, n, (off_t)s->at, "package file", err))
		return -1;
	s->at += n;
	return (ssize_t)n;
}

static void data_source_init(struct data_source *s, const struct expand *x)
{
	*s = (struct data_source){ .src.read = data_read, .x = x, .at = x->front.data_start };
}

static bool hash_data(const struct expand *x, uint8_t md[SHA256_SIZE], struct err *err)
{
	struct data_source src;
	struct hash_sink sink;

	data_source_init(&src, x);
	hash_sink_init(&sink, DIGEST_SHA256, NULL);
	bool ok = source_copy(&src.src, &sink.sink, err);
	if (ok)
		digest_final(&sink.d, md);
	digest_release(&sink.d);
	return ok;
}

/* besides: what else was found; may be NULL. */
static bool check_datahash(const struct expand *x, const uint8_t md[SHA256_SIZE],
	const char *besides, struct err *err)
{
	char got[2 * SHA256_SIZE + 1];

	if (memcmp(x->datahash, md, SHA256_SIZE) == 0)
		return true;
	hex_encode(md, SHA256_SIZE, got);
	return err_set(err, EK_TRUST, "data hash mismatch: expected %.*s, got %s%s%s%s",
		STR_ARG(x->front.info.datahash), got, besides ? " (" : "", besides ? besides : "",
		besides ? ")" : "");
}

/* A data section that cannot be read is first of all not what the control section promised, if
 * that is so. */
static bool explain(const struct expand *x, struct err *err)
{
	auto_err struct err one = ERR_INIT, ignored = ERR_INIT;
	uint8_t md[SHA256_SIZE];

	(void)err_move(&one, err);
	if (hash_data(x, md, &ignored) && !check_datahash(x, md, one.msg, err))
		return false;
	return err_move(err, &one);
}

/* Whole: compressed and inflated bytes both in memory. */

struct whole {
	char *p;
	size_t in, out;
};

static void whole_release(struct whole *w)
{
	if (!w->p)
		return;
	munmap(w->p, w->in + w->out);
	if (w->in + w->out > SMALL_WHOLE)
		atomic_fetch_sub(&whole_in_use, w->in + w->out);
	w->p = NULL;
}

static bool whole_open(const struct expand *x, struct whole *w)
{
	uint64_t out = x->data_isize, total = x->data_n + out;

	if (x->lim.stream || out > x->lim.max_data || out / MAX_RATIO > x->data_n || total == 0 ||
	    total > WHOLE_MAX || (total > SMALL_WHOLE && !reserve((size_t)total)))
		return false;
	w->in = (size_t)x->data_n;
	w->out = (size_t)out;
	w->p = mmap(NULL, w->in + w->out, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);
	if (w->p != MAP_FAILED) {
		(void)madvise(w->p, w->in + w->out, MADV_HUGEPAGE);
		return true;
	}
	w->p = NULL;
	if (total > SMALL_WHOLE)
		atomic_fetch_sub(&whole_in_use, (size_t)total);
	return false;
}

static bool whole_inflate(const struct expand *x, struct whole *w)
{
	auto_err struct err ignored = ERR_INIT;
	struct data_source src;
	size_t in = 0, out = 0;

	data_source_init(&src, x);
	if (!source_read_full(&src.src, w->p, w->in, "package file", &ignored))
		return false;
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	if (!d)
		BUG("out of memory");
	bool ok = libdeflate_gzip_decompress_ex(d, w->p, w->in, w->p + w->in, w->out, &in, &out) ==
		LIBDEFLATE_SUCCESS;
	libdeflate_free_decompressor(d);
	return ok && in == w->in && out == w->out;
}

/* *ret_done stays false when there is no room or the bytes are not what they say: then the
 * stream's turn comes, which finds the words for it. */
static bool expand_whole(const struct expand *x, struct enttab *t, int out, bool *ret_done,
	uint8_t ret_md[SHA256_SIZE], struct err *err)
{
	cleanup_with(whole_release) struct whole w = { 0 };
	struct mem_source src;

	if (!whole_open(x, &w) || !whole_inflate(x, &w))
		return true;
	*ret_done = true;
	mem_source_init(&src, str_n(w.p + w.in, w.out));
	if (!datatar_scan(&src.src, x->lim.max_entries, t, err))
		return false;
	digest_once(DIGEST_SHA256, w.p, w.in, ret_md);
	return fd_write_all(out, w.p + w.in, w.out, x->cache, err);
}

/* Streamed: inflated bytes are written as they come and then handed to the parser. */

struct tee_source {
	struct source src;
	struct source *from;
	int out;
	const char *cache;
	size_t at, n;		/* of what is in buf */
	char buf[STREAM_SIZE];
};

static ssize_t tee_read(struct source *src, void *p, size_t n, struct err *err)
{
	struct tee_source *t = (struct tee_source *)src;

	if (t->at == t->n) {
		ssize_t got = source_read(t->from, t->buf, sizeof(t->buf), err);
		if (got <= 0)
			return got;
		if (!fd_write_all(t->out, t->buf, (size_t)got, t->cache, err))
			return -1;
		t->at = 0;
		t->n = (size_t)got;
	}
	if (n > t->n - t->at)
		n = t->n - t->at;
	memcpy(p, t->buf + t->at, n);
	t->at += n;
	return (ssize_t)n;
}

static bool stream_all(const struct expand *x, struct gz_source *gz, struct tee_source *tee,
	struct enttab *t, struct err *err)
{
	bool more = false;

	if (!datatar_scan(&tee->src, x->lim.max_entries, t, err) || !gz_more(gz, &more, err))
		return false;
	return !more || err_set(err, EK_PARSE,
		"trailing data behind the data section: file format is invalid or inconsistent");
}

static bool expand_stream(const struct expand *x, struct enttab *t, int out,
	uint8_t ret_md[SHA256_SIZE], struct err *err)
{
	struct data_source src;
	struct hash_sink hash;
	struct gz_source gz = { 0 };
	struct limit_source limit;
	struct tee_source *tee = malloc(sizeof(*tee));

	if (!tee)
		BUG("out of memory");
	*tee = (struct tee_source){ .src.read = tee_read, .from = &limit.src, .out = out,
		.cache = x->cache };
	data_source_init(&src, x);
	hash_sink_init(&hash, DIGEST_SHA256, NULL);
	bool ok = gz_open(&gz, &src.src, "data section", err);
	gz.tap = &hash.sink;
	limit_source_init(&limit, &gz.src, x->lim.max_data, "data section");
	ok = ok && stream_all(x, &gz, tee, t, err);
	gz_close(&gz);
	digest_final(&hash.d, ret_md);
	digest_release(&hash.d);
	free(tee);
	return ok;
}

/* Together */

static bool read_trailer(struct expand *x, struct err *err)
{
	uint8_t b[GZ_TRAILER_SIZE];

	x->data_n = x->file_size - x->front.data_start;
	if (x->data_n < GZ_HEADER_SIZE + GZ_TRAILER_SIZE)
		return err_set(err, EK_PARSE, "unexpected end of file: no data section");
	if (!fd_pread_all(x->fd, b, sizeof(b), (off_t)(x->file_size - sizeof(b)), "package file",
		    err))
		return false;
	x->data_crc = b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
	x->data_isize = b[4] | b[5] << 8 | b[6] << 16 | (uint32_t)b[7] << 24;
	return true;
}

static void alarm_ratio(const struct expand *x, uint64_t size)
{
	if (size > SMALL_WHOLE && size / ALARM_RATIO > x->data_n)
		log_warn("the data section of '%.*s' inflates from %" PRIu64 " to %" PRIu64
			 " bytes", STR_ARG(x->front.info.name), x->data_n, size);
}

static bool expand_data(struct expand *x, struct apk_file *f, struct err *err)
{
	auto_store_new struct store_new new = { .fd = -1, .lock = -1 };
	auto_enttab struct enttab t;
	uint8_t md[SHA256_SIZE];
	bool done = false;

	enttab_init(&t);
	if (!store_begin(x->store, &new, err))
		return false;
	if (!expand_whole(x, &t, new.fd, &done, md, err) ||
	    (!done && !expand_stream(x, &t, new.fd, md, err)))
		return explain(x, err);
	if (!check_datahash(x, md, NULL, err) ||
	    !stored_put_data(x->store, &new, &t, x->data_crc, x->datahash, x->arena, f, err))
		return false;
	alarm_ratio(x, f->data_size);
	return true;
}

/* The same data may be there already, under another control section: then its hash says all. */
static bool use_stored(struct expand *x, struct apk_file *f, bool *ret_found, struct err *err)
{
	uint8_t md[SHA256_SIZE];

	if (!stored_get_data(x->store, x->datahash, x->arena, f))
		return true;
	if (f->data_size > x->lim.max_data || f->n_entries > x->lim.max_entries)
		return err_set(err, EK_PARSE, "size limit exceeded: limit is %" PRIu64
			" bytes in %" PRIu64 " entries", x->lim.max_data, x->lim.max_entries);
	*ret_found = true;
	return hash_data(x, md, err) && check_datahash(x, md, NULL, err);
}

static void set_ranges(const struct expand *x, struct apk_file *f)
{
	uint64_t sig = x->front.sig_gz.n, data = x->front.data_start;

	f->sig_range = sig ? (struct apk_range){ 0, sig - 1 } : (struct apk_range){ 1, 0 };
	f->control_range = (struct apk_range){ sig, data - 1 };
	f->data_range = (struct apk_range){ data, x->file_size - 1 };
	if (sig)
		digest_once(DIGEST_SHA1, x->front.sig_gz.p, sig, f->sig_sha1);
	memcpy(f->control_sha1, x->front.info.checksum, SHA1_SIZE);
	memcpy(f->data_sha256, x->datahash, SHA256_SIZE);
}

static bool is_v3(const struct expand *x)
{
	char magic[3];

	return pread(x->fd, magic, sizeof(magic), 0) == sizeof(magic) &&
		memcmp(magic, "ADB", sizeof(magic)) == 0;
}

static bool expand(struct expand *x, struct apk_file *f, struct err *err)
{
	struct stat st;
	bool found = false;

	if (fstat(x->fd, &st) < 0)
		return err_sys(err, "cannot look at it");
	if (!S_ISREG(st.st_mode))
		return err_set(err, EK_PARSE, "not a regular file");
	x->file_size = (uint64_t)st.st_size;
	if (x->expect && !size_agrees(x->expect->file_size, x->file_size, err))
		return false;
	if (is_v3(x))
		return adb_expand(x->fd, x->name, x->expect, &x->lim, x->store, x->arena, f, err);
	if (!apk_front_read(x->fd, x->file_size, x->lim.max_control, &x->scratch, x->arena,
		    &x->front, err) || !signature_agrees(x, err))
		return false;
	f->info = x->front.info;
	if (x->expect && (!control_agrees(x, err) || !apk_info_agrees(&f->info, x->expect, err)))
		return false;
	if (!hex_decode(f->info.datahash, x->datahash, SHA256_SIZE))
		BUG("datahash was checked");
	if (!read_trailer(x, err) || !use_stored(x, f, &found, err) ||
	    (!found && !expand_data(x, f, err)))
		return false;
	set_ranges(x, f);
	return stored_put_control(x->store, &x->front, x->expect, f, x->arena, err);
}

bool apk_expand(int fd, const char *name, const struct apk_pkg *expect,
	const struct apk_limits *lim, struct store *st, struct arena *a, struct apk_file *ret,
	struct err *err)
{
	struct expand x = { .fd = fd, .name = name, .expect = expect, .store = st, .arena = a,
		.cache = arena_printf(a, "%s/tmp", store_dir(st)) };
	struct apk_file f = { .data.fd = -1, .pkg = expect };

	x.lim.stream = lim && lim->stream;
	x.lim.keys = lim ? lim->keys : NULL;
	x.lim.max_control = lim && lim->max_control ? lim->max_control : APK_MAX_CONTROL;
	if (x.lim.max_control > APK_MOST_CONTROL)
		x.lim.max_control = APK_MOST_CONTROL;
	x.lim.max_data = lim && lim->max_data ? lim->max_data : APK_MAX_DATA;
	x.lim.max_entries = lim && lim->max_entries ? lim->max_entries : APK_MAX_ENTRIES;
	bool ok = expand(&x, &f, err);
	arena_release(&x.scratch);
	if (!ok) {
		apk_file_close(&f);
		return err_wrap(err, "package '%s'", name);
	}
	*ret = f;
	return true;
}

void apk_file_close(struct apk_file *f)
{
	if (f)
		fd_close(&f->data.fd);
}
