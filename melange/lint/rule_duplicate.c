#include "melange/lint/rule.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "melange/scan/content.h"
#include "shared/base/map.h"
#include "shared/crypto/digest.h"

/* Files of one name and one content in several places. Hard links waste nothing and are no
 * copies. Only files that share name and size with another are read. */

#define MIN_SIZE 1024
#define CHUNK 65536

struct copy {
	const struct tree_node *node;
	struct str path;
	struct copy *next;	/* an earlier one in the walk */
};

struct copies {
	struct lint_ctx *c;
	struct arena arena;
	struct map by_size;	/* "SIZE NAME" to the last struct copy */
	struct map by_digest;	/* "DIGEST NAME" to struct lint_item */
};

/* Licences are meant to stand beside what they cover. */
static bool is_licence(struct str name)
{
	static const char *const words[] = { "license", "licence", "copying", "copyright" };
	char low[256];
	size_t n = name.n < sizeof(low) ? name.n : sizeof(low) - 1;
	for (size_t i = 0; i < n; i++)
		low[i] = (char)tolower((unsigned char)name.p[i]);
	low[n] = 0;
	for (size_t i = 0; i < countof(words); i++)
		if (strstr(low, words[i]))
			return true;
	return false;
}

static bool collect(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct copies *all = user;
	(void)err;
	if (n->type != '0' || n->body->size < MIN_SIZE || is_licence(n->name))
		return true;
	struct str key = arena_strf(&all->arena, "%" PRIu64 " %.*s", n->body->size,
		STR_ARG(n->name));
	struct copy *item = arena_new(&all->arena, struct copy);
	*item = (struct copy){ n, arena_str(&all->arena, path), map_get(&all->by_size, key) };
	for (const struct copy *k = item->next; k; k = k->next)
		if (k->node->body == n->body)
			return true;
	(void)map_put(&all->by_size, key, item);
	return true;
}

static bool hash_file(const struct tree_node *n, char hex[2 * SHA256_SIZE + 1], struct err *err)
{
	auto_content struct content content = CONTENT_INIT;
	auto_digest struct digest d = { 0 };
	uint8_t md[SHA256_SIZE];
	char chunk[CHUNK];
	uint64_t at = 0, size = n->body->size;
	if (!content_open(n, &content, err))
		return false;
	digest_init(&d, DIGEST_SHA256);
	while (at < size) {
		size_t part = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
		if (!content_pread(&content, chunk, part, at, err))
			return false;
		digest_add(&d, chunk, part);
		at += part;
	}
	digest_final(&d, md);
	hex_encode(md, sizeof(md), hex);
	return true;
}

/* Files that cannot be read are no copies of anything. */
static void group(struct copies *all, const struct copy *k)
{
	auto_err struct err unread = ERR_INIT;
	char hex[2 * SHA256_SIZE + 1];
	if (!hash_file(k->node, hex, &unread))
		return;
	struct str key = arena_strf(&all->arena, "%s %.*s", hex, STR_ARG(k->node->name));
	struct lint_item *item = map_get(&all->by_digest, key);
	if (!item) {
		item = arena_new(&all->arena, struct lint_item);
		item->path = arena_str(all->c->arena, k->node->name);
		item->size = k->node->body->size;
		(void)map_put(&all->by_digest, key, item);
	}
	strs_push(all->c->arena, &item->words, arena_str(all->c->arena, k->path));
}

static uint64_t wasted(const struct lint_item *item)
{
	return (item->words.n - 1) * item->size;
}

static int most_wasted(const void *a, const void *b)
{
	const struct lint_item *x = a, *y = b;
	uint64_t p = wasted(x), q = wasted(y);
	int order = (p < q) - (p > q);
	return order ? order : str_cmp(x->words.v[0], y->words.v[0]);
}

static void describe(struct lint_ctx *c)
{
	struct arena *a = c->arena;
	struct lint_finding *f = &c->found;
	uint64_t total = 0;
	for (size_t i = 0; i < f->items.n; i++) {
		struct lint_item *item = &f->items.v[i];
		struct str waste = lint_size(wasted(item), a);
		total += wasted(item);
		item->line = arena_strf(a, "%.*s (%zu copies, %.*s wasted)", STR_ARG(item->path),
			item->words.n, STR_ARG(waste));
		strs_push(a, &f->more, arena_strf(a, "  %zu copies of '%.*s' (%.*s each, wasting %.*s):",
			item->words.n, STR_ARG(item->path), STR_ARG(lint_size(item->size, a)),
			STR_ARG(waste)));
		for (size_t k = 0; k < item->words.n; k++)
			strs_push(a, &f->more, arena_strf(a, "    %.*s", STR_ARG(item->words.v[k])));
	}
	f->message = arena_strf(a, "%s contains %zu duplicate file(s) with same name in different "
		"directories (wasting %.*s total):", c->req->pkg, f->items.n,
		STR_ARG(lint_size(total, a)));
}

static void find_groups(struct copies *all)
{
	struct lint_ctx *c = all->c;
	for (struct map_entry *e = map_first(&all->by_size); e; e = map_next(e)) {
		const struct copy *k = map_val(e);
		for (bool several = k->next; several && k; k = k->next)
			group(all, k);
	}
	for (struct map_entry *e = map_first(&all->by_digest); e; e = map_next(e)) {
		struct lint_item *item = map_val(e);
		strs_sort(&item->words);
		if (item->words.n > 1)
			vec_push(c->arena, &c->found.items, *item);
	}
	if (c->found.items.n == 0)
		return;
	qsort(c->found.items.v, c->found.items.n, sizeof(struct lint_item), most_wasted);
	describe(c);
}

static bool duplicate(struct lint_ctx *c, struct err *err)
{
	struct copies all = { .c = c, .arena = ARENA_INIT };
	map_init(&all.by_size, &all.arena);
	map_init(&all.by_digest, &all.arena);
	bool ok = tree_walk(c->req->tree, collect, &all, err);
	if (ok)
		find_groups(&all);
	map_release(&all.by_digest);
	map_release(&all.by_size);
	arena_release(&all.arena);
	return ok;
}

const struct lint_rule lint_duplicate_rules[] = {
	{ .name = "duplicate",
		.set = LINT_WARN,
		.shape = LINT_DUPLICATES,
		.advice = "This package contains files with the same name and content in different "
			  "directories (consider symlinking)",
		.whole = duplicate },
	{ 0 },
};
