#include "shared/crypto/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

static const struct {
	const char *name;
	size_t size;
} algs[] = {
	[DIGEST_SHA1] = {"SHA1", SHA1_SIZE},
	[DIGEST_SHA256] = {"SHA256", SHA256_SIZE},
	[DIGEST_SHA512] = {"SHA512", SHA512_SIZE},
};

static EVP_MD *fetched[countof(algs)];
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void fetch_all(void)
{
	for (size_t i = 0; i < countof(algs); i++) {
		fetched[i] = EVP_MD_fetch(NULL, algs[i].name, NULL);
		if (!fetched[i])
			BUG("the cryptographic library has no %s", algs[i].name);
	}
}

size_t digest_size(enum digest_alg alg)
{
	return algs[alg].size;
}

void digest_init(struct digest *d, enum digest_alg alg)
{
	pthread_once(&fetch_once, fetch_all);
	if (!d->ctx)
		d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || !EVP_DigestInit_ex2(d->ctx, fetched[alg], NULL))
		BUG("cannot start a %s digest", algs[alg].name);
	d->alg = alg;
}

void digest_add(struct digest *d, const void *p, size_t n)
{
	if (n && !EVP_DigestUpdate(d->ctx, p, n))
		BUG("cannot compute a %s digest", algs[d->alg].name);
}

void digest_final(struct digest *d, uint8_t *ret_md)
{
	if (!EVP_DigestFinal_ex(d->ctx, ret_md, NULL))
		BUG("cannot finish a %s digest", algs[d->alg].name);
}

void digest_release(struct digest *d)
{
	EVP_MD_CTX_free(d->ctx);
	d->ctx = NULL;
}

void digest_once(enum digest_alg alg, const void *p, size_t n, uint8_t *ret_md)
{
	auto_digest struct digest d = {0};
	digest_init(&d, alg);
	digest_add(&d, p, n);
	digest_final(&d, ret_md);
}

void hex_encode(const uint8_t *p, size_t n, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		*ret_hex++ = digits[p[i] >> 4];
		*ret_hex++ = digits[p[i] & 15];
	}
	*ret_hex = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(struct str hex, uint8_t *ret_p, size_t n)
{
	if (n > SIZE_MAX / 2 || hex.n != 2 * n)
		return false;
	for (size_t i = 0; i < hex.n; i++)
		if (hex_value(hex.p[i]) < 0)
			return false;
	for (size_t i = 0; i < n; i++)
		ret_p[i] = (uint8_t)(hex_value(hex.p[2 * i]) << 4 | hex_value(hex.p[2 * i + 1]));
	return true;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(struct arena *a, const uint8_t *p, size_t n)
{
	char *text = arena_array(a, char, n / 3 * 4 + 5);
	char *to = text;
	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)p[i] << 16;
		if (have > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (have > 2)
			v |= p[i + 2];
		for (size_t k = 0; k < 4; k++)
			to[k] = k <= have ? base64_digits[v >> (18 - 6 * k) & 63] : '=';
		to += 4;
	}
	*to = '\0';
	return text;
}

/* Value + 1 of each digit. */
static const uint8_t base64_values[256] = {
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
	['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15,
	['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22,
	['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29,
	['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
	['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43,
	['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50,
	['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57,
	['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

static int base64_value(char c)
{
	return base64_values[(unsigned char)c] - 1;
}

/* Length of what a well-formed text stands for; false if its length or padding is wrong. */
static bool base64_length(struct str b64, size_t *ret_n)
{
	if (b64.n % 4)
		return false;
	size_t pad = 0;
	while (pad < 2 && pad < b64.n && b64.p[b64.n - 1 - pad] == '=')
		pad++;
	*ret_n = b64.n / 4 * 3 - pad;
	return true;
}

/* Writes only the n bytes; on false they are undefined. */
static bool base64_bytes(struct str b64, uint8_t *to, size_t n)
{
	for (size_t i = 0, at = 0; i < b64.n; i += 4, at += 3) {
		size_t have = n - at < 3 ? n - at : 3;
		uint32_t v = 0;
		for (size_t k = 0; k < 4; k++) {
			int digit = k <= have ? base64_value(b64.p[i + k]) : 0;
			if (digit < 0)
				return false;
			v = v << 6 | (uint32_t)digit;
		}
		/* bits under the padding must be zero, or two texts would mean the same bytes */
		if (have < 3 && (v & ((1U << (24 - 8 * have)) - 1)))
			return false;
		for (size_t k = 0; k < have; k++)
			to[at + k] = (uint8_t)(v >> (16 - 8 * k));
	}
	return true;
}

bool base64_decode(struct str b64, uint8_t *ret_p, size_t n)
{
	size_t len;
	return base64_length(b64, &len) && len == n && base64_bytes(b64, ret_p, n);
}

bool base64_decode_any(struct arena *a, struct str b64, struct str *ret_bytes)
{
	size_t len;
	if (!base64_length(b64, &len))
		return false;
	uint8_t *bytes = arena_array(a, uint8_t, len + 1);
	if (!base64_bytes(b64, bytes, len))
		return false;
	*ret_bytes = str_n((char *)bytes, len);
	return true;
}
