#pragma once

#include "shared/apk/index.h"
#include "shared/apk/pack.h"

/* Shared by index.c and index_text.c only. */

/* As index_parse, into a pack. The text must live as long as the arena. */
const struct pack *index_pack_text(struct str text, struct str description, const char *name,
	struct arena *a, struct err *err) must_check;
/* Fields of a record that was read without complaint before. */
void index_read_record(struct str record, struct apk_pkg *ret);
