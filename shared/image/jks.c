#include "shared/image/jks.h"

#include <stdlib.h>
#include <string.h>

#include "shared/crypto/digest.h"

#define MAGIC 0xfeedfeedu
#define VERSION 2
#define MAX_ENTRIES 100000u

enum { PRIVATE_KEY = 1, TRUSTED = 2 };

/* Reads numbers, most significant byte first; sticks at the first one that is not there. */
struct cursor {
	struct str left;
	bool bad;
};

static uint64_t take(struct cursor *c, unsigned bytes)
{
	uint64_t n = 0;
	if (c->left.n < bytes)
		c->bad = true;
	for (unsigned i = 0; i < bytes && !c->bad; i++)
		n = n << 8 | (uint8_t)c->left.p[i];
	c->left = str_from(c->left, bytes);
	return n;
}

static struct str take_bytes(struct cursor *c, uint64_t n)
{
	if (c->left.n < n)
		c->bad = true;
	struct str s = c->bad ? STR_NONE : str_sub(c->left, 0, (size_t)n);
	c->left = str_from(c->left, s.n);
	return s;
}

static void put(struct buf *b, uint64_t n, unsigned bytes)
{
	while (bytes--)
		buf_addc(b, (char)(n >> 8 * bytes));
}

/* SHA-1 over the password in UTF-16, the fixed phrase of the format, and the data. */
static void seal(struct str data, uint8_t ret_md[SHA1_SIZE])
{
	static const char password[] = "\0c\0h\0a\0n\0g\0e\0i\0t";
	auto_digest struct digest d = {0};
	digest_init(&d, DIGEST_SHA1);
	digest_add(&d, password, sizeof(password) - 1);
	digest_add(&d, "Mighty Aphrodite", 16);
	digest_add(&d, data.p, data.n);
	digest_final(&d, ret_md);
}

static void skip_certificate(struct cursor *c)
{
	(void)take_bytes(c, take(c, 2));
	(void)take_bytes(c, take(c, 4));
}

static void skip_private_key(struct cursor *c)
{
	(void)take_bytes(c, take(c, 4));
	uint64_t chain = take(c, 4);
	while (chain-- && !c->bad)
		skip_certificate(c);
}

static struct str lower(struct str s, struct arena *a)
{
	char *p = arena_alloc(a, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + ('a' - 'A') : s.p[i]);
	return str_n(p, s.n);
}

static bool read_entry(struct cursor *c, struct jks *j, struct arena *a)
{
	struct jks_entry e = {.tag = (uint32_t)take(c, 4)};
	e.alias = lower(take_bytes(c, take(c, 2)), a);
	e.time_ms = take(c, 8);
	struct str from = c->left;
	if (e.tag == PRIVATE_KEY)
		skip_private_key(c);
	else if (e.tag == TRUSTED)
		skip_certificate(c);
	else
		c->bad = true;
	e.rest = str_n(from.p, from.n - c->left.n);
	if (!c->bad)
		vec_push(a, &j->list, e);
	return !c->bad;
}

bool jks_read(struct str bytes, struct arena *a, struct jks *ret, struct err *err)
{
	uint8_t md[SHA1_SIZE];
	struct jks j = {0};
	if (bytes.n < 12 + SHA1_SIZE)
		return err_set(err, EK_PARSE, "not a Java key store: too short");
	struct str data = str_sub(bytes, 0, bytes.n - SHA1_SIZE);
	struct cursor c = {.left = data};
	if (take(&c, 4) != MAGIC)
		return err_set(err, EK_PARSE, "not a Java key store of type JKS");
	uint64_t version = take(&c, 4), count = take(&c, 4);
	if (version != VERSION)
		return err_set(err, EK_PARSE, "Java key store of version %llu, only 2 is known",
			(unsigned long long)version);
	seal(data, md);
	if (memcmp(md, bytes.p + data.n, sizeof(md)) != 0)
		return err_set(err, EK_TRUST,
			"Java key store: wrong digest for the password "
			"'changeit'");
	if (count > MAX_ENTRIES)
		return err_set(
			err, EK_PARSE, "Java key store of more than %u entries", MAX_ENTRIES);
	for (uint64_t i = 0; i < count; i++)
		if (!read_entry(&c, &j, a))
			return err_set(err, EK_PARSE, "Java key store: entry %llu is malformed",
				(unsigned long long)i + 1);
	if (c.left.n)
		return err_set(err, EK_PARSE, "Java key store: bytes after the last entry");
	*ret = j;
	return true;
}

void jks_put(struct jks *j, struct str alias, struct str der, uint64_t time_ms, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);
	put(&b, 5, 2);
	buf_adds(&b, "X.509");
	put(&b, der.n, 4);
	buf_addstr(&b, der);
	vec_push(a, &j->list,
		(struct jks_entry){lower(alias, a), TRUSTED, time_ms, arena_str(a, buf_str(&b))});
}

/* Where an entry stands now: equal aliases must keep their order. */
struct place {
	const struct jks_entry *e;
	size_t at;
};

static int by_alias(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int c = str_cmp(x->e->alias, y->e->alias);
	return c ? c : (x->at > y->at) - (x->at < y->at);
}

void jks_write(const struct jks *j, struct arena *a, struct buf *out)
{
	uint8_t md[SHA1_SIZE];
	size_t kept = 0, start = out->n;
	struct place *order = arena_array(a, struct place, j->list.n + 1);
	for (size_t i = 0; i < j->list.n; i++)
		order[i] = (struct place){&j->list.v[i], i};
	qsort(order, j->list.n, sizeof(*order), by_alias);
	for (size_t i = 0; i < j->list.n; i++)
		if (i + 1 == j->list.n || !str_eq(order[i].e->alias, order[i + 1].e->alias))
			order[kept++] = order[i];
	put(out, MAGIC, 4);
	put(out, VERSION, 4);
	put(out, kept, 4);
	for (size_t i = 0; i < kept; i++) {
		put(out, order[i].e->tag, 4);
		put(out, order[i].e->alias.n, 2);
		buf_addstr(out, order[i].e->alias);
		put(out, order[i].e->time_ms, 8);
		buf_addstr(out, order[i].e->rest);
	}
	seal(str_from(buf_str(out), start), md);
	buf_add(out, md, sizeof(md));
}
