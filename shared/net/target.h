#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/net/http.h"

/* Where a body goes, able to go on or begin again after a transfer broke off. */

struct target {
	const struct http_req *req;
	int64_t base;	/* offset of the file, or bytes in the buffer, before the body */
	int64_t got;	/* bytes of the body taken so far */
	int64_t limit;	/* negative: none */
};

bool target_init(struct target *t, const struct http_req *req, int64_t limit, struct err *err)
	must_check;
bool target_write(struct target *t, const void *p, size_t n, struct err *err) must_check;
/* Refuses a body that is announced longer than the limit. */
bool target_expect(const struct target *t, int64_t total, struct err *err) must_check;
/* Takes back what came so far; false for a sink that has had some. */
bool target_restart(struct target *t, struct err *err) must_check;
/* Cuts a file behind the body and leaves its offset there. */
bool target_finish(struct target *t, struct err *err) must_check;
