#include <stdint.h>
#include <stdlib.h>
#include "shared/text/ynode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every position of every scalar can be asked for, and every range lies in the source. */
static void visit(const struct ydoc *doc, const struct ynode *n, unsigned *budget)
{
	if (*budget == 0)
		return;
	--*budget;
	if (n->off > n->end || n->end > doc->src.n || n->pos.line < 1 || n->pos.col < 1)
		abort();
	for (size_t at = 0; n->kind == YN_SCALAR && at <= n->text.n && at < 64; at++)
		(void)ynode_pos_at(doc, n, at);
	for (size_t i = 0; n->kind == YN_SEQ && i < n->n; i++)
		visit(doc, n->items[i], budget);
	for (size_t i = 0; n->kind == YN_MAP && i < n->n; i++) {
		visit(doc, n->pairs[i].key, budget);
		visit(doc, n->pairs[i].val, budget);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	unsigned budget = 1000;
	struct ydoc doc;

	if (ydoc_parse(str_n((const char *)data, size), "f", &a, &doc, &err) && doc.root)
		visit(&doc, doc.root, &budget);
	return 0;
}
