#include "shared/apk/pkg.h"

#include <string.h>
#include "shared/crypto/digest.h"

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

struct str apk_pkg_url(const struct apk_pkg *p, struct arena *a)
{
	struct str base = p->index ? p->index->base : STR_NONE;
	return arena_strf(a, "%.*s/%.*s-%.*s.apk", STR_ARG(base), STR_ARG(p->name),
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
