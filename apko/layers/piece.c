#include "apko/layers/piece.h"

#include <stdlib.h>

#include "shared/archive/tar.h"
#include "shared/crypto/digest.h"

#define FILE_MIN (64u << 10)	/* files from this size on are pieces of their own */
#define RUN_MIN (64u << 10)	/* a run may end from here on ... */
#define RUN_MAX (256u << 10)	/* ... and does before it gets longer than this, if it can */
#define CUT_ONE_IN 4		/* entries before which it may */

struct cutting {
	const struct export_plan *plan;
	uint32_t layer;
	struct arena *a;
	struct pieces *out;
	struct piece run;
};

static void put(struct cutting *c, size_t entry, uint64_t off, uint64_t n)
{
	while (n) {
		uint32_t part = n < PIECE_MAX ? (uint32_t)n : PIECE_MAX;
		vec_push(c->a, c->out, (struct piece){ c->layer, part, entry, off });
		off += part;
		n -= part;
	}
}

static void end_run(struct cutting *c, size_t entry, uint64_t off)
{
	put(c, c->run.entry, c->run.off, c->run.n);
	c->run = (struct piece){ .entry = entry, .off = off };
}

/* FNV-1a */
static bool may_cut_before(struct str name)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint8_t)name.p[i]) * 16777619u;
	return (h >> 16) % CUT_ONE_IN == 0;
}

static void cut_entry(struct cutting *c, size_t i)
{
	const struct export_entry *e = &c->plan->v[i];
	uint64_t content = span_content(e), pad = tar_padding(content);
	bool alone = content >= FILE_MIN;
	uint64_t n = e->header.n + (alone ? 0 : content + pad);
	if (c->run.n && (c->run.n + n > RUN_MAX ||
			(c->run.n >= RUN_MIN && may_cut_before(e->node->name))))
		end_run(c, i, 0);
	/* a header can be long: extended attributes */
	if (c->run.n + n > PIECE_MAX) {
		put(c, i, 0, n);
		c->run = (struct piece){ .entry = i, .off = n };
	} else {
		c->run.n += (uint32_t)n;
	}
	if (!alone)
		return;
	end_run(c, i, e->header.n + content);
	put(c, i, e->header.n, content);
	c->run.n = (uint32_t)pad;
}

void piece_cut(const struct export_plan *plan, uint32_t layer, struct arena *a, struct pieces *ret)
{
	struct cutting c = { .plan = plan, .layer = layer, .a = a, .out = ret };
	for (size_t i = 0; i < plan->n; i++)
		cut_entry(&c, i);
	c.run.n += TAR_END_SIZE;
	end_run(&c, plan->n, 0);
}

static void add_number(struct digest *d, uint64_t n)
{
	uint8_t bytes[8];
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(n >> (8 * i));
	digest_add(d, bytes, sizeof(bytes));
}

static void add_text(struct digest *d, char what, const void *p, uint64_t n)
{
	digest_add(d, &what, 1);
	add_number(d, n);
	digest_add(d, p, (size_t)n);
}

static bool add_body(struct digest *d, const struct span *s, struct err *err)
{
	const struct blob *blob = s->body->blob;
	if (blob && blob->id.n) {
		add_text(d, 'i', blob->id.p, blob->id.n);
		add_number(d, s->body->off + s->off);
		add_number(d, s->n);
		return true;
	}
	char *bytes = malloc((size_t)s->n);
	if (!bytes)
		BUG("out of memory");
	bool ok = span_read(s, bytes, err);
	if (ok)
		add_text(d, 'b', bytes, s->n);
	free(bytes);
	return ok;
}

bool piece_key(const struct export_plan *plan, const struct piece *p, uint8_t ret_key[PIECE_KEY],
	struct err *err)
{
	auto_digest struct digest d = { 0 };
	struct span_cursor c = { plan, p->entry, p->off };
	digest_init(&d, DIGEST_SHA256);
	for (uint64_t left = p->n; left;) {
		struct span s = span_next(&c, left);
		left -= s.n;
		if (s.kind == SPAN_BYTES) {
			add_text(&d, 'b', s.bytes, s.n);
		} else if (s.kind == SPAN_ZEROS) {
			add_text(&d, 'z', NULL, 0);
			add_number(&d, s.n);
		} else if (!add_body(&d, &s, err)) {
			return false;
		}
	}
	digest_final(&d, ret_key);
	return true;
}

bool piece_read(const struct export_plan *plan, const struct piece *p, void *ret_bytes,
	struct err *err)
{
	struct span_cursor c = { plan, p->entry, p->off };
	size_t n;
	if (!span_fill(&c, ret_bytes, p->n, &n, err))
		return false;
	if (n != p->n)
		BUG("a piece goes beyond the end of its layer");
	return true;
}
