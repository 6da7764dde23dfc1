#include "shared/crypto/pem.h"

#include <limits.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "shared/crypto/digest.h"

#define COLUMNS 64

/* The type named by "-----BEGIN x-----" or "-----END x-----". */
static bool boundary(struct str line, struct str word, struct str *ret_type)
{
	line = str_trim(line);
	if (!str_skip(&line, S("-----")) || !str_skip(&line, word) || !str_skip(&line, S(" ")) ||
		!str_chop(&line, S("-----")))
		return false;
	*ret_type = line;
	return true;
}

/* Lines up to the end line, their text without blanks in `to`. False without an end. */
static bool block_body(struct str *rest, struct str type, struct buf *to)
{
	struct str line, end, begin;
	while (str_next(rest, '\n', &line)) {
		if (boundary(line, S("END"), &end))
			return str_eq(end, type);
		if (boundary(line, S("BEGIN"), &begin))
			return false;
		if (str_chr(line, ':') >= 0)
			continue;
		for (size_t i = 0; i < line.n; i++)
			if (!strchr(" \t\r", line.p[i]) || !line.p[i])
				buf_addc(to, line.p[i]);
	}
	return false;
}

bool pem_next(struct str *rest, struct arena *a, struct pem_block *ret)
{
	auto_buf struct buf body = BUF_INIT(BUF_NOLIMIT);
	struct str line, type;
	if (!rest->p)
		return false;
	while (str_next(rest, '\n', &line)) {
		struct str behind = *rest;
		buf_clear(&body);
		if (!boundary(line, S("BEGIN"), &type) ||
			!block_body(&behind, type, &body) ||
			!base64_decode_any(a, buf_str(&body), &ret->der))
			continue;
		ret->type = type;
		*rest = behind.n == (size_t)-1 ? STR_NONE : behind;
		return true;
	}
	*rest = STR_NONE;
	return false;
}

void pem_write(struct str type, struct str der, struct buf *out)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text = str_of(base64_encode(&a, (const uint8_t *)der.p, der.n));
	buf_printf(out, "-----BEGIN %.*s-----\n", STR_ARG(type));
	for (size_t at = 0; at < text.n; at += COLUMNS) {
		buf_addstr(out, str_sub(text, at, COLUMNS));
		buf_addc(out, '\n');
	}
	buf_printf(out, "-----END %.*s-----\n", STR_ARG(type));
}

bool pem_is_certificate(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	if (der.n == 0 || der.n > LONG_MAX)
		return false;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);
	bool whole = cert && p == (const unsigned char *)der.p + der.n;
	X509_free(cert);
	ERR_clear_error();
	return whole;
}
