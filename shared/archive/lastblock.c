#include "shared/archive/lastblock.h"

#include <endian.h>
#include <string.h>

#define LENGTHS_MAX 288
#define DISTS_MAX 32
#define CODE_MAX 15
#define END_SYMBOL 256
#define TABLE_BITS 11
#define TABLE_SIZE (1U << TABLE_BITS)

struct bits {
	const uint8_t *p;
	uint64_t at, end;
};

/* At least 57 bits, zeros or rubbish behind the end; `at` must not be beyond it. */
static inline uint64_t peek(const struct bits *b)
{
	uint64_t v;
	memcpy(&v, b->p + b->at / 8, sizeof(v));
	return le64toh(v) >> (b->at % 8);
}

static bool take(struct bits *b, unsigned n, unsigned *ret_v)
{
	if (b->end - b->at < n)
		return false;
	*ret_v = (unsigned)(peek(b) & ((1U << n) - 1));
	b->at += n;
	return true;
}

/* What a table says of the bits ahead: how many belong to the symbols read, extra bits included,
 * and what the last of these is. */
enum what { BAD, LITERAL, MATCH, END, LONG };
struct entry {
	uint8_t bits, what;
};

/* A canonical prefix code and its table; the table's index is the next TABLE_BITS bits. */
struct code {
	uint16_t count[CODE_MAX + 1];
	uint16_t sorted[LENGTHS_MAX];
	struct entry table[TABLE_SIZE];
};

struct block_codes {
	uint8_t lens[LENGTHS_MAX + DISTS_MAX];
	unsigned n_lengths, n_dists;
	struct code lengths, dists;
};

static unsigned reverse(unsigned code, unsigned n)
{
	unsigned r = 0;
	for (; n; n--, code >>= 1)
		r = r << 1 | (code & 1);
	return r;
}

static struct entry length_entry(unsigned sym, unsigned bits)
{
	if (sym < END_SYMBOL)
		return (struct entry){(uint8_t)bits, LITERAL};
	if (sym == END_SYMBOL)
		return (struct entry){(uint8_t)bits, END};
	if (sym > 285)
		return (struct entry){0, BAD};
	unsigned extra = sym < 265 || sym == 285 ? 0 : (sym - 261) / 4;
	return (struct entry){(uint8_t)(bits + extra), MATCH};
}

static struct entry dist_entry(unsigned sym, unsigned bits)
{
	if (sym > 29)
		return (struct entry){0, BAD};
	return (struct entry){(uint8_t)(bits + (sym < 4 ? 0 : (sym - 2) / 2)), MATCH};
}

static struct entry precode_entry(unsigned sym, unsigned bits)
{
	return (struct entry){(uint8_t)bits, (uint8_t)sym};
}

/* First code of each length; false if there are more codes than can be. */
static bool first_codes(
	struct code *c, const uint8_t *lens, unsigned n, uint16_t first[CODE_MAX + 2])
{
	memset(c->count, 0, sizeof(c->count));
	for (unsigned i = 0; i < n; i++)
		c->count[lens[i]]++;
	c->count[0] = 0;
	unsigned code = 0;
	for (unsigned len = 1; len <= CODE_MAX; len++) {
		first[len] = (uint16_t)code;
		code += c->count[len];
		if (code > 1U << len)
			return false;
		code <<= 1;
	}
	return true;
}

static bool build(struct code *c, const uint8_t *lens, unsigned n,
	struct entry (*entry)(unsigned sym, unsigned bits))
{
	uint16_t next[CODE_MAX + 2], at[CODE_MAX + 2] = {0};
	if (!first_codes(c, lens, n, next))
		return false;
	for (unsigned len = 1; len <= CODE_MAX; len++)
		at[len + 1] = (uint16_t)(at[len] + c->count[len]);
	memset(c->table, 0, sizeof(c->table));
	for (unsigned sym = 0; sym < n; sym++) {
		unsigned len = lens[sym];
		if (!len)
			continue;
		c->sorted[at[len]++] = (uint16_t)sym;
		unsigned code = reverse(next[len]++, len);
		if (len > TABLE_BITS) {
			c->table[code & (TABLE_SIZE - 1)] = (struct entry){0, LONG};
			continue;
		}
		struct entry e = entry(sym, len);
		for (unsigned i = code; i < TABLE_SIZE; i += 1U << len)
			c->table[i] = e;
	}
	return true;
}

/* Lets an entry stand for all the literals its bits hold, and for what follows them. Going down
 * from the largest index, every index that is looked at (a shorter number) is still single. */
static void merge_literals(struct code *c)
{
	for (unsigned i = TABLE_SIZE; i-- > 1;) {
		struct entry e = c->table[i];
		unsigned known = e.what == LITERAL ? e.bits : TABLE_BITS;
		while (known < TABLE_BITS) {
			struct entry next = c->table[i >> known];
			/* the code itself must lie within the known bits; its extra bits need not,
			 * but telling them apart is not worth it */
			if ((next.what != LITERAL && next.what != MATCH && next.what != END) ||
				known + next.bits > TABLE_BITS)
				break;
			known += next.bits;
			e = (struct entry){(uint8_t)known, next.what};
			if (next.what != LITERAL)
				break;
		}
		c->table[i] = e;
	}
}

/* Bit by bit, for codes longer than the table's index. */
static struct entry read_long(
	const struct code *c, uint64_t bits, struct entry (*entry)(unsigned sym, unsigned bits))
{
	unsigned code = 0, first = 0, index = 0;
	for (unsigned len = 1; len <= CODE_MAX; len++, bits >>= 1) {
		code |= bits & 1;
		unsigned count = c->count[len];
		if (code - first < count)
			return entry(c->sorted[index + code - first], len);
		index += count;
		first = (first + count) << 1;
		code <<= 1;
	}
	return (struct entry){0, BAD};
}

static bool read_lens(struct bits *b, struct block_codes *c)
{
	static const uint8_t order[19] = {
		16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
	static const struct {
		uint8_t extra, base;
	} repeat[3] = {{2, 3}, {3, 3}, {7, 11}};
	uint8_t pre[19] = {0};
	unsigned n_pre, len, total, i = 0;
	if (!take(b, 5, &c->n_lengths) || !take(b, 5, &c->n_dists) || !take(b, 4, &n_pre))
		return false;
	c->n_lengths += 257;
	c->n_dists += 1;
	if (c->n_lengths > LENGTHS_MAX)
		return false;
	for (unsigned k = 0; k < n_pre + 4; k++) {
		if (!take(b, 3, &len))
			return false;
		pre[order[k]] = (uint8_t)len;
	}
	if (!build(&c->lengths, pre, 19, precode_entry))
		return false;
	for (total = c->n_lengths + c->n_dists; i < total;) {
		struct entry e = c->lengths.table[peek(b) & (TABLE_SIZE - 1)];
		unsigned n = 1, sym = e.what, fill = sym;
		if (!e.bits || !take(b, e.bits, &len))
			return false;
		if (sym >= 16) {
			if ((sym == 16 && !i) || !take(b, repeat[sym - 16].extra, &n))
				return false;
			n += repeat[sym - 16].base;
			fill = sym == 16 ? c->lens[i - 1] : 0;
		}
		if (n > total - i)
			return false;
		memset(c->lens + i, (int)fill, n);
		i += n;
	}
	return true;
}

static void fixed_lens(struct block_codes *c)
{
	c->n_lengths = LENGTHS_MAX;
	c->n_dists = DISTS_MAX;
	memset(c->lens, 8, 144);
	memset(c->lens + 144, 9, 112);
	memset(c->lens + 256, 7, 24);
	memset(c->lens + 280, 8, 8);
	memset(c->lens + LENGTHS_MAX, 5, DISTS_MAX);
}

/* Bits taken off a register that is filled by whole bytes; quicker than peek, and reads ahead. */
struct reader {
	const uint8_t *p;
	uint64_t bits;
	unsigned n;
};

static inline void refill(struct reader *r)
{
	uint64_t v;
	memcpy(&v, r->p, sizeof(v));
	r->bits |= le64toh(v) << r->n;
	r->p += (63 - r->n) >> 3;
	r->n |= 56;
}

static inline void drop(struct reader *r, unsigned n)
{
	r->bits >>= n;
	r->n -= n;
}

/* Runs over symbols to behind the block's end symbol. At least 56 bits are there after a refill:
 * enough for three entries of literals and a length, or for a distance. */
static bool skip_symbols(struct bits *b, const struct block_codes *c)
{
	/* a register may be filled up to 8 bytes ahead; two more fills follow the check */
	const uint8_t *limit = b->p + b->end / 8 + 8;
	struct reader r = {b->p + b->at / 8, 0, 0};
	struct entry e;
	refill(&r);
	drop(&r, b->at % 8);
	do {
		refill(&r);
		e = c->lengths.table[r.bits & (TABLE_SIZE - 1)];
		for (unsigned i = 0; i < 3 && e.what == LITERAL; i++) {
			drop(&r, e.bits);
			e = c->lengths.table[r.bits & (TABLE_SIZE - 1)];
		}
		if (e.what == LONG)
			e = read_long(&c->lengths, r.bits, length_entry);
		drop(&r, e.bits);
		if (e.what == LITERAL)
			continue;
		if (e.what != MATCH)
			break;
		refill(&r);
		e = c->dists.table[r.bits & (TABLE_SIZE - 1)];
		if (e.what == LONG)
			e = read_long(&c->dists, r.bits, dist_entry);
		drop(&r, e.bits);
	} while (e.what != BAD && r.p <= limit);
	b->at = 8 * (uint64_t)(r.p - b->p) - r.n;
	return e.what == END && b->at <= b->end;
}

static bool skip_coded(struct bits *b, struct block_codes *c)
{
	if (!build(&c->lengths, c->lens, c->n_lengths, length_entry) ||
		!build(&c->dists, c->lens + c->n_lengths, c->n_dists, dist_entry))
		return false;
	merge_literals(&c->lengths);
	return skip_symbols(b, c);
}

static bool skip_stored(struct bits *b)
{
	unsigned len, check;
	b->at = (b->at + 7) / 8 * 8;
	if (b->at > b->end || !take(b, 16, &len) || !take(b, 16, &check) ||
		len != (check ^ 0xffff) || b->end - b->at < 8 * (uint64_t)len)
		return false;
	b->at += 8 * (uint64_t)len;
	return true;
}

/* The end of a stream whose last symbol is known to be c's end symbol: behind it there are only
 * zero bits, so the last one bit of the stream is the last one bit of the symbol's code. 0 if the
 * code has none. */
static uint64_t end_from_behind(const struct bits *b, struct block_codes *c)
{
	uint16_t next[CODE_MAX + 2];
	unsigned len = c->lens[END_SYMBOL];
	if (!len || !first_codes(&c->lengths, c->lens, c->n_lengths, next))
		return 0;
	unsigned code = next[len];
	for (unsigned sym = 0; sym < END_SYMBOL; sym++)
		code += c->lens[sym] == len;
	uint64_t last = b->end / 8 - 1;
	if (!code)
		return 0;
	while (last && !b->p[last])
		last--;
	if (!b->p[last])
		return 0;
	unsigned top = 31U - (unsigned)__builtin_clz(b->p[last]);
	uint64_t end = last * 8 + top + 1 + (unsigned)__builtin_ctz(code);
	return end <= b->end && b->end - end < 8 ? end : 0;
}

static bool skip_block(struct bits *b, struct block_codes *c, bool only, unsigned type)
{
	if (type == 0)
		return skip_stored(b);
	if (type == 1)
		fixed_lens(c);
	else if (type != 2 || !read_lens(b, c))
		return false;
	uint64_t end = only ? end_from_behind(b, c) : 0;
	if (!end)
		return skip_coded(b, c);
	b->at = end;
	return true;
}

bool last_block_find(const uint8_t *p, size_t n, struct last_block *ret_last)
{
	struct block_codes c;
	struct bits b = {p, 0, 8 * (uint64_t)n};
	for (;;) {
		uint64_t start = b.at;
		unsigned final, type;
		if (!take(&b, 1, &final) || !take(&b, 2, &type) || !skip_block(&b, &c, final, type))
			return false;
		if (!final)
			continue;
		if ((b.at + 7) / 8 != n)
			return false;
		*ret_last = (struct last_block){start, b.at, type == 0};
		return true;
	}
}
