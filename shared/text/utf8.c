#include "shared/text/utf8.h"

/* Length by first byte, and the least value that length may hold; 0: not a first byte. */
static size_t lead(unsigned char c, uint32_t *ret_bits, uint32_t *ret_min)
{
	static const struct {
		unsigned char mask, tag, len;
		uint32_t min;
	} forms[] = {
		{ 0x80, 0x00, 1, 0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((c & forms[i].mask) != forms[i].tag)
			continue;
		*ret_bits = c & (unsigned char)~forms[i].mask;
		*ret_min = forms[i].min;
		return forms[i].len;
	}
	return 0;
}

size_t utf8_decode(struct str s, uint32_t *ret_cp)
{
	uint32_t cp, min;
	size_t len;

	if (s.n == 0)
		return 0;
	len = lead((unsigned char)s.p[0], &cp, &min);
	if (len == 0 || len > s.n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (c & 0x3f);
	}
	if (cp < min || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return len;
}

size_t utf8_encode(uint32_t cp, char out[4])
{
	static const unsigned char tags[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	out[0] = (char)(tags[len] | cp);
	return len;
}
