#include "shared/apk/index.h"

#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/map.h"
#include "shared/crypto/digest.h"

#define MAX_TEXT ((uint64_t)300 << 20)
#define GZIP_LEVEL 6

static struct str merge_key(const struct apk_pkg *p, struct arena *a)
{
	return arena_strf(a, "%.*s %.*s %.*s", STR_ARG(p->name), STR_ARG(p->version),
		STR_ARG(p->arch));
}

void index_merge(struct apk_index *idx, const struct apk_pkg *pkgs, size_t n, struct arena *a)
{
	auto_map struct map at;
	map_init(&at, a);
	struct apk_pkg *all = arena_array(a, struct apk_pkg, idx->n + n + 1);
	size_t n_all = 0;
	for (size_t i = 0; i < idx->n + n; i++) {
		const struct apk_pkg *p = i < idx->n ? &idx->pkgs[i] : &pkgs[i - idx->n];
		struct str key = merge_key(p, a);
		struct apk_pkg *old = map_get(&at, key);
		if (!old) {
			old = &all[n_all++];
			(void)map_put(&at, key, old);
		}
		*old = *p;
		old->order = (uint32_t)(old - all);
		old->index = idx;
	}
	idx->pkgs = all;
	idx->n = n_all;
}

static void add_text(struct buf *out, char letter, struct str s)
{
	if (!s.n)
		return;
	buf_addc(out, letter);
	buf_addc(out, ':');
	buf_addstr(out, s);
	buf_addc(out, '\n');
}

static void add_number(struct buf *out, char letter, int64_t n)
{
	buf_printf(out, "%c:%lld\n", letter, (long long)n);
}

void index_record(const struct apk_pkg *p, struct buf *out)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str q = apk_pkg_q(p, &a);
	buf_printf(out, "C:%.*s\nP:%.*s\nV:%.*s\n", STR_ARG(q), STR_ARG(p->name),
		STR_ARG(p->version));
	add_text(out, 'A', p->arch);
	if (p->file_size)
		buf_printf(out, "S:%llu\n", (unsigned long long)p->file_size);
	if (p->installed_size)
		buf_printf(out, "I:%llu\n", (unsigned long long)p->installed_size);
	buf_printf(out, "T:%.*s\n", STR_ARG(p->desc));
	add_text(out, 'U', p->url);
	add_text(out, 'L', p->license);
	add_text(out, 'o', p->origin);
	add_text(out, 'm', p->maintainer);
	add_number(out, 't', p->build_time);
	add_text(out, 'c', p->commit);
	add_text(out, 'D', p->depends);
	add_text(out, 'i', p->install_if);
	add_text(out, 'p', p->provides);
	if (p->provider_priority)
		add_number(out, 'k', p->provider_priority);
	buf_addc(out, '\n');
}

static bool add_member(struct buf *tar, struct str name, struct str content, struct err *err)
{
	struct tar_entry e = { .name = name, .type = '0', .mode = 0644, .size = content.n };
	if (!tar_header(&e, tar, err))
		return false;
	buf_addstr(tar, content);
	buf_addzero(tar, tar_padding(content.n));
	return true;
}

bool index_sign(struct str bytes, const struct sigkey *key, const char *key_path,
	struct buf *out, struct err *err)
{
	uint8_t md[SHA256_SIZE];
	digest_once(DIGEST_SHA256, bytes.p, bytes.n, md);
	if (!apk_sign_member(key, key_path, md, 0, out, err))
		return false;
	buf_addstr(out, bytes);
	return true;
}

bool index_write(const struct apk_index *idx, const struct sigkey *key, const char *key_path,
	struct buf *out, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_TEXT);
	auto_buf struct buf tar = BUF_INIT(MAX_TEXT + (1u << 20));
	auto_buf struct buf gz = BUF_INIT(MAX_TEXT + (1u << 20));
	for (size_t i = 0; i < idx->n; i++)
		index_record(&idx->pkgs[i], &text);
	if (!add_member(&tar, S("APKINDEX"), buf_str(&text), err) ||
		!add_member(&tar, S("DESCRIPTION"), idx->description, err))
		return false;
	buf_addzero(&tar, TAR_END_SIZE);
	if (text.over || tar.over)
		return err_set(err, EK_OTHER, "the index of %zu packages is too large", idx->n);
	if (!gz_deflate(buf_str(&tar), GZIP_LEVEL, key ? &gz : out, err))
		return false;
	return key ? index_sign(buf_str(&gz), key, key_path, out, err) : true;
}
