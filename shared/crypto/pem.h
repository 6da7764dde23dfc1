#pragma once

#include <stdbool.h>
#include "shared/base/arena.h"
#include "shared/base/buf.h"

/* PEM text (RFC 7468): blocks found among other text, and written anew in 64 columns. */

struct pem_block {
	struct str type;	/* "CERTIFICATE", a slice of the text */
	struct str der;		/* in the arena */
};
/* The next block of *rest, which then starts behind it; false when there is none any more. What
 * is no whole block (no end line, another type in it, bad base64) is passed over. Header lines
 * inside a block are dropped. */
bool pem_next(struct str *rest, struct arena *a, struct pem_block *ret) must_check;
void pem_write(struct str type, struct str der, struct buf *out);
/* One X.509 certificate and nothing behind it. */
bool pem_is_certificate(struct str der);
