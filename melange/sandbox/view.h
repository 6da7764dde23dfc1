#pragma once

#include <stdbool.h>
#include "shared/base/err.h"

/* A private writable view of a guest directory. A shared guest (the store's) is never written: it
 * becomes the lower layer of an overlay that lives in a mount namespace of its own, kept by a
 * small process, and vanishes with it. Where overlays can't be had, the guest is copied.
 *
 * Mount points that bubblewrap needs are made here, beneath the root and without following
 * links, since older versions would follow a link of the guest out of it. */

struct view;

/* NULL on failure. A guest that is not shared is used in place. */
struct view *view_open(const char *guest, bool shared, struct err *err) must_check;
/* Where the root is, as seen after view_enter. */
const char *view_root(const struct view *v);
/* In a child, before exec: joins the view's namespaces. Async-signal-safe. */
bool view_enter(struct view *v) must_check;
void view_close(struct view *v);
