#pragma once

#include "melange/query/value.h"
#include "shared/base/buf.h"

/* Values as Go's fmt prints them. */

/* What `{{ value }}` and %v give. */
void gofmt_value(struct gval v, struct buf *out, struct arena *a);
/* fmt.Sprint: a blank between two neighbours of which none is a text; sprintln: always, and a newline. */
void gofmt_print(const struct gval *args, size_t n, bool line, struct buf *out, struct arena *a);
/* fmt.Sprintf with %v %s %d %q %t %%, the flags '-' and '0', width and precision; what does not fit
 * its verb prints as in Go, "%!d(string=x)". */
void gofmt_printf(struct str format, const struct gval *args, size_t n, struct buf *out,
	struct arena *a);
