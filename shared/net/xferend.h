#pragma once

#include "shared/net/xfer.h"

/* What xfer.c and xferend.c share. */

const char *xfer_method(const struct xfer *x);
long xfer_status(const struct xfer *x);
/* First header of the answer under way, empty if none. */
struct str xfer_header(const struct xfer *x, const char *name);
/* The caller gave this header (lower case) with the request. */
bool xfer_asks(const struct xfer *x, const char *name);
/* Checks a 2xx answer against what the target holds, before its first byte. */
bool xfer_begin_body(struct xfer *x) must_check;
/* Puts method and URL in front of the message; returns false. */
bool xfer_failed(const struct xfer *x, struct err *err);
/* Why a redirect is not followed, NULL when it may be. */
const char *xfer_redirect_refusal(const struct url *from, const struct url *to);
