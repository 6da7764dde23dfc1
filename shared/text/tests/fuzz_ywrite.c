#include <stdint.h>
#include <stdlib.h>
#include "shared/text/utf8.h"
#include "shared/text/ynode.h"
#include "shared/text/ywrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_text(struct str s)
{
	uint32_t c;

	for (size_t n; s.n; s = str_from(s, n)) {
		n = utf8_decode(s, &c);
		if (n == 0 || c == 0)
			return false;
	}
	return true;
}

static void same(const struct ynode *n, struct str want)
{
	if (!n || n->kind != YN_SCALAR || !str_eq(n->text, want))
		abort();
}

/* A text as key, as value, and as item at two depths reads back as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	struct ywrite w;
	struct ydoc doc;
	struct str s = str_n((const char *)data, size);

	if (!is_text(s))
		return 0;
	yw_init(&w, &out, size % 2 ? 4 : 2);
	yw_map(&w);
	yw_key_str(&w, s);
	yw_list(&w);
	yw_str(&w, s);
	yw_map(&w);
	yw_kstr(&w, "in", s);
	yw_kint(&w, "behind", 1);
	yw_map_end(&w);
	yw_list_end(&w);
	yw_map_end(&w);
	if (!ydoc_parse(buf_str(&out), "f", &a, &doc, &err))
		abort();
	same(doc.root->pairs[0].key, s);
	same(doc.root->pairs[0].val->items[0], s);
	same(ynode_get(doc.root->pairs[0].val->items[1], "in"), s);
	return 0;
}
