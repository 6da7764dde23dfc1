#include "shared/apk/tests/made_adb.h"

#include <endian.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "shared/archive/zs.h"

static void must(bool ok)
{
	if (!ok)
		BUG("the file cannot be made");
}

static void add_word(struct buf *b, uint32_t v)
{
	uint32_t le = htole32(v);

	buf_add(b, &le, sizeof(le));
}

static void align(struct buf *b, size_t n)
{
	while (b->n % n)
		buf_addc(b, 0);
}

void made_adb_init(struct made_adb *m, uint32_t schema)
{
	*m = (struct made_adb){ .schema = schema };
	buf_init(&m->payload, BUF_NOLIMIT);
	buf_init(&m->blocks, BUF_NOLIMIT);
	buf_addzero(&m->payload, 8);
}

void made_adb_release(struct made_adb *m)
{
	buf_release(&m->payload);
	buf_release(&m->blocks);
}

uint32_t made_blob(struct made_adb *m, struct str s)
{
	unsigned prefix = s.n < 0x100 ? 1 : s.n < 0x10000 ? 2 : 4;
	uint32_t n = htole32((uint32_t)s.n);

	align(&m->payload, prefix);
	uint32_t at = (uint32_t)m->payload.n;
	buf_add(&m->payload, &n, prefix);
	buf_addstr(&m->payload, s);
	return (prefix == 1 ? 8u : prefix == 2 ? 9u : 10u) << 28 | at;
}

uint32_t made_text(struct made_adb *m, const char *s)
{
	return s ? made_blob(m, str_of(s)) : 0;
}

uint32_t made_int(struct made_adb *m, uint64_t n)
{
	uint64_t le = htole64(n);

	if (n < 1u << 28)
		return 1u << 28 | (uint32_t)n;
	align(&m->payload, 4);
	uint32_t at = (uint32_t)m->payload.n;
	buf_add(&m->payload, &le, n <= UINT32_MAX ? 4 : 8);
	return (n <= UINT32_MAX ? 2u : 3u) << 28 | at;
}

uint32_t made_obj(struct made_adb *m, const uint32_t *values, size_t n)
{
	while (n && !values[n - 1])
		n--;
	if (!n)
		return 0;
	align(&m->payload, 4);
	uint32_t at = (uint32_t)m->payload.n;
	add_word(&m->payload, (uint32_t)n + 1);
	for (size_t i = 0; i < n; i++)
		add_word(&m->payload, values[i]);
	return 14u << 28 | at;
}

uint32_t made_dep(struct made_adb *m, const char *name, const char *version, unsigned match)
{
	uint32_t n = made_text(m, name), v = made_text(m, version);

	return made_list(m, n, v, match ? made_int(m, match) : 0);
}

uint32_t made_acl(struct made_adb *m, unsigned mode, const char *user, const char *group)
{
	uint32_t u = made_text(m, user), g = made_text(m, group);

	return made_list(m, made_int(m, mode), u, g);
}

uint32_t made_file(struct made_adb *m, const char *name, const char *content, uint32_t acl)
{
	return made_file_of(m, name, str_of(content), acl);
}

uint32_t made_file_of(struct made_adb *m, const char *name, struct str content, uint32_t acl)
{
	uint8_t md[SHA256_SIZE];

	digest_once(DIGEST_SHA256, content.p, content.n, md);
	uint32_t hash = made_blob(m, str_n((const char *)md, sizeof(md)));
	uint32_t n = made_text(m, name), time = made_int(m, 1700000000);
	if (!acl)
		acl = made_acl(m, 0644, "root", "root");
	return made_list(m, n, acl, made_int(m, content.n), time, hash);
}

uint32_t made_link(struct made_adb *m, const char *name, unsigned kind, struct str target)
{
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);

	buf_addc(&b, (char)kind);
	buf_addc(&b, (char)(kind >> 8));
	buf_addstr(&b, target);
	uint32_t n = made_text(m, name), t = made_blob(m, buf_str(&b));
	uint32_t acl = made_acl(m, kind == S_IFLNK ? 0777 : 0644, "root", "root");
	return made_list(m, n, acl, 0, made_int(m, 1), 0, t);
}

void made_adb_root(struct made_adb *m, uint32_t value)
{
	uint32_t le = htole32(value);

	memcpy(m->payload.p + 4, &le, sizeof(le));
}

static void add_block(struct buf *out, unsigned type, struct str payload)
{
	add_word(out, type << 30 | (uint32_t)(payload.n + 4));
	buf_addstr(out, payload);
	buf_addzero(out, -(payload.n + 4) % 8);
}

void made_block(struct made_adb *m, unsigned type, struct str payload)
{
	add_block(&m->blocks, type, payload);
}

void made_sig_by(struct made_adb *m, const uint8_t id[SIGKEY_ID_SIZE],
	void (*sign)(void *ctx, const uint8_t md[SHA512_SIZE], struct buf *out), void *ctx)
{
	auto_buf struct buf message = BUF_INIT(BUF_NOLIMIT), sig = BUF_INIT(BUF_NOLIMIT);
	uint8_t md[SHA512_SIZE];

	buf_addc(&sig, 0);
	buf_addc(&sig, 4);
	buf_add(&sig, id, SIGKEY_ID_SIZE);
	add_word(&message, m->schema);
	buf_addstr(&message, buf_str(&sig));
	digest_once(DIGEST_SHA512, m->payload.p, m->payload.n, md);
	buf_add(&message, md, sizeof(md));
	digest_once(DIGEST_SHA512, message.p, message.n, md);
	sign(ctx, md, &sig);
	made_block(m, ADB_BLOCK_SIG, buf_str(&sig));
}

static void sign_rsa(void *ctx, const uint8_t md[SHA512_SIZE], struct buf *out)
{
	auto_err struct err err = ERR_INIT;

	must(sigkey_sign(ctx, DIGEST_SHA512, md, out, &err));
}

void made_sig(struct made_adb *m, const struct sigkey *key)
{
	uint8_t id[SIGKEY_ID_SIZE];

	sigkey_id(key, id);
	made_sig_by(m, id, sign_rsa, (void *)key);
}

void made_data(struct made_adb *m, uint32_t path, uint32_t file, const char *content)
{
	made_bytes(m, path, file, str_of(content));
}

void made_bytes(struct made_adb *m, uint32_t path, uint32_t file, struct str content)
{
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);

	add_word(&b, path);
	add_word(&b, file);
	buf_addstr(&b, content);
	made_block(m, ADB_BLOCK_DATA, buf_str(&b));
}

static void deflate_raw(struct str in, struct buf *out)
{
	z_stream z = { .next_in = (unsigned char *)in.p, .avail_in = (unsigned)in.n };

	must(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	size_t room = deflateBound(&z, in.n);
	z.next_out = (unsigned char *)buf_room(out, room);
	z.avail_out = (unsigned)room;
	must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	out->n += z.total_out;
	(void)deflateEnd(&z);
}

static void compress_zstd(struct str in, struct buf *out)
{
	auto_err struct err err = ERR_INIT;
	struct buf_sink sink;
	struct zs_sink z;

	buf_sink_init(&sink, out);
	must(zs_open(&z, 3, &sink.sink, &err));
	must(sink_write(&z.sink, in.p, in.n, &err));
	must(zs_end(&z, &err));
	zs_close(&z);
}

void made_adb_file(const struct made_adb *m, enum made_comp comp, struct buf *out)
{
	static const struct str magics[] = {
		[MADE_DEFLATE] = { "ADBd", 4 }, [MADE_NONE] = { "ADBc\0\0", 6 },
		[MADE_RAW] = { "ADBc\1\6", 6 }, [MADE_ZSTD] = { "ADBc\2\3", 6 },
	};
	auto_buf struct buf plain = BUF_INIT(BUF_NOLIMIT);

	buf_adds(&plain, "ADB.");
	add_word(&plain, m->schema);
	add_block(&plain, ADB_BLOCK_ADB, buf_str(&m->payload));
	buf_addstr(&plain, buf_str(&m->blocks));
	buf_addstr(out, magics[comp]);
	if (comp == MADE_PLAIN || comp == MADE_NONE)
		buf_addstr(out, buf_str(&plain));
	else if (comp == MADE_ZSTD)
		compress_zstd(buf_str(&plain), out);
	else
		deflate_raw(buf_str(&plain), out);
}

void made_adb_id(const struct made_adb *m, uint8_t ret_sha256[SHA256_SIZE])
{
	digest_once(DIGEST_SHA256, m->payload.p, m->payload.n, ret_sha256);
}
