#include "shared/apk/pkg.h"

#include <limits.h>
#include <string.h>
#include "shared/base/buf.h"
#include "shared/base/num.h"
#include "shared/crypto/digest.h"
#include "shared/os/path.h"

struct str apk_pkg_nv(const struct apk_pkg *p, struct arena *a)
{
	return arena_strf(a, "%.*s-%.*s", STR_ARG(p->name), STR_ARG(p->version));
}

struct str apk_pkg_q(const struct apk_pkg *p, struct arena *a)
{
	if (!p->checksum_n)
		return STR_NONE;
	return arena_strf(a, "Q%c%s", p->checksum_n == SHA1_SIZE ? '1' : '2',
		base64_encode(a, p->checksum, p->checksum_n));
}

/* Value + 1 of the base64 digits. */
static const uint8_t sextets[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
	25, 26, ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46,
	47, 48, 49, 50, 51, 52, ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64
};

/* n bytes from padded base64. Bits of the last digit that no byte uses are not looked at, as in
 * the other readers of the format: real indexes have such checksums. */
static bool decode(struct str s, uint8_t *out, size_t n)
{
	size_t chars = (n * 8 + 5) / 6;
	if (s.n != (n + 2) / 3 * 4)
		return false;
	uint32_t bits = 0;
	unsigned have = 0;
	size_t at = 0;
	for (size_t i = 0; i < chars; i++) {
		unsigned v = sextets[(unsigned char)s.p[i]];
		if (!v)
			return false;
		bits = bits << 6 | (v - 1);
		have += 6;
		if (have >= 8 && at < n) {
			have -= 8;
			out[at++] = (uint8_t)(bits >> have);
		}
	}
	for (size_t i = chars; i < s.n; i++)
		if (s.p[i] != '=')
			return false;
	return true;
}

bool apk_q_parse(struct str text, uint8_t ret_sum[32], uint8_t *ret_n)
{
	uint8_t sum[SHA256_SIZE];
	uint8_t n;
	struct str b64 = text;
	if (str_skip(&b64, S("Q2")))
		n = SHA256_SIZE;
	else if (str_skip(&b64, S("Q1"))) /* a long one is SHA-256 whatever its digit */
		n = b64.n == 44 ? SHA256_SIZE : SHA1_SIZE;
	else
		return false;
	if (!decode(b64, sum, n))
		return false;
	memset(ret_sum, 0, 32);
	memcpy(ret_sum, sum, n);
	*ret_n = n;
	return true;
}

static struct str hash_text(const struct apk_pkg *p, struct arena *a)
{
	char *hex = arena_alloc(a, 2 * sizeof(p->checksum) + 1);
	hex_encode(p->checksum, p->checksum_n, hex);
	return str_of(hex);
}

/* What `${KEY}` or `${KEY:LENGTH}` stands for. */
static bool expand_key(const struct apk_pkg *p, struct str key, struct arena *a, struct str *ret)
{
	struct str name, length;
	uint64_t n = 0;
	if (str_cut(key, ':', &name, &length) && (!num_u64(length, 10, &n) || !n))
		return false;
	if (str_is(name, "name"))
		*ret = p->name;
	else if (str_is(name, "version"))
		*ret = p->version;
	else if (str_is(name, "arch"))
		*ret = p->arch;
	else if (str_is(name, "hash"))
		*ret = hash_text(p, a);
	else
		return false;
	if (n)
		*ret = str_sub(*ret, 0, n < ret->n ? (size_t)n : ret->n);
	return true;
}

static bool is_url(struct str s)
{
	return str_starts(s, S("https://")) || str_starts(s, S("http://"));
}

bool apk_pkg_file(const struct apk_pkg *p, struct str spec, struct arena *a, struct str *ret)
{
	auto_buf struct buf b = BUF_INIT(PATH_MAX);
	struct str before, key, value, file;
	while (str_cut(spec, '$', &before, &spec)) {
		buf_addstr(&b, before);
		if (!str_skip(&spec, S("{")) || !str_cut(spec, '}', &key, &spec) ||
			!expand_key(p, key, a, &value))
			return false;
		buf_addstr(&b, value);
	}
	buf_addstr(&b, before);
	file = arena_str(a, buf_str(&b));
	for (size_t i = 0; i < file.n; i++)
		if ((unsigned char)file.p[i] <= ' ' || file.p[i] == 0x7f)
			return false;
	if (b.over || !(is_url(file) || path_is_safe(file)))
		return false;
	*ret = file;
	return true;
}

/* A pkgname-spec of a repository holds the directory of the architecture, too. */
static struct str spec_base(const struct apk_index *idx)
{
	return str_ends(idx->repo, S(".adb")) ? idx->base : idx->repo;
}

struct str apk_pkg_url(const struct apk_pkg *p, struct arena *a)
{
	struct str base = p->index ? p->index->base : STR_NONE, file;
	struct str spec = p->index ? p->index->pkgname_spec : STR_NONE;
	if (!spec.n || !apk_pkg_file(p, spec, a, &file))
		return arena_strf(a, "%.*s/%.*s-%.*s.apk", STR_ARG(base), STR_ARG(p->name),
			STR_ARG(p->version));
	base = spec_base(p->index);
	return is_url(file) ? file : arena_strf(a, "%.*s/%.*s", STR_ARG(base), STR_ARG(file));
}

struct str apk_pkg_second_url(const struct apk_pkg *p, struct arena *a)
{
	const struct apk_index *idx = p->index;
	if (!idx || !str_is(p->arch, "noarch") || !str_ends(idx->file, S("/Packages.adb")) ||
		idx->pkgname_spec.n || str_ends(idx->repo, S(".adb")))
		return STR_NONE;
	return arena_strf(a, "%.*s/noarch/%.*s-%.*s.apk", STR_ARG(idx->repo), STR_ARG(p->name),
		STR_ARG(p->version));
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool apk_name_ok(struct str name)
{
	if (!name.n || !is_alnum(name.p[0]))
		return false;
	for (size_t i = 1; i < name.n; i++) {
		char c = name.p[i];
		if (!is_alnum(c) && c != '.' && c != '_' && c != '+' && c != '-')
			return false;
	}
	return true;
}
