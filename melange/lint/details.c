#include "melange/lint/rule.h"

#include <inttypes.h>

#include "shared/text/jwrite.h"

/* The `details` object of a finding, by shape. */

struct str lint_size(uint64_t bytes, struct arena *a)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	uint64_t unit = 1;
	size_t u = 0;
	if (bytes < 10)
		return arena_strf(a, "%" PRIu64 " B", bytes);
	for (; bytes / unit >= 1000; unit *= 1000)
		u++;
	/* In tenths, rounded. */
	uint64_t whole = bytes / unit, tenths = whole * 10 + (bytes % unit * 10 + unit / 2) / unit;
	if (tenths < 100)
		return arena_strf(a, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[u]);
	return arena_strf(a, "%" PRIu64 " %s", (tenths + 5) / 10, units[u]);
}

static void list(struct jwrite *w, const char *key, const struct strs *texts)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < texts->n; i++)
		jw_str(w, texts->v[i]);
	jw_array_end(w);
}

static void write_item(struct jwrite *w, enum lint_shape shape, const struct lint_item *item)
{
	if (shape != LINT_MODES && shape != LINT_ARCHES && shape != LINT_BINARIES &&
		shape != LINT_REFERENCES) {
		jw_str(w, item->path);
		return;
	}
	jw_object(w);
	jw_kstr(w, "path", item->path);
	if (shape == LINT_MODES) {
		jw_kstr(w, "mode", item->note);
		list(w, "permissions", &item->words);
	} else {
		jw_kstr(w, shape == LINT_REFERENCES ? "platform" : "arch", item->note);
	}
	jw_object_end(w);
}

static uint64_t wasted(const struct lint_item *item)
{
	return (item->words.n - 1) * item->size;
}

static void write_copies(struct jwrite *w, const struct lint_item *item, struct arena *a)
{
	jw_object(w);
	jw_kstr(w, "basename", item->path);
	jw_kint(w, "count", (int64_t)item->words.n);
	jw_kint(w, "size_bytes", (int64_t)item->size);
	jw_kstr(w, "size", lint_size(item->size, a));
	jw_kint(w, "wasted_bytes", (int64_t)wasted(item));
	jw_kstr(w, "wasted_size", lint_size(wasted(item), a));
	list(w, "paths", &item->words);
	jw_object_end(w);
}

static void write_sums(struct jwrite *w, const struct lint_finding *f, struct arena *a)
{
	uint64_t total = 0;
	for (size_t i = 0; i < f->items.n; i++)
		total += wasted(&f->items.v[i]);
	jw_kint(w, "total_duplicate_sets", (int64_t)f->items.n);
	jw_kint(w, "total_wasted_bytes", (int64_t)total);
	jw_kstr(w, "total_wasted_size", lint_size(total, a));
}

void lint_write_details(struct jwrite *w, enum lint_shape shape, const struct lint_finding *f,
	struct arena *a)
{
	static const char *const keys[] = {
		[LINT_PATHS] = "paths",
		[LINT_MODES] = "files",
		[LINT_ARCHES] = "files",
		[LINT_BINARIES] = "binaries",
		[LINT_BINARY_NAMES] = "binaries",
		[LINT_REFERENCES] = "references",
		[LINT_PACKAGES] = "packages",
		[LINT_DUPLICATES] = "duplicates",
	};
	jw_object(w);
	if (shape == LINT_PACKAGES)
		jw_kint(w, "count", (int64_t)f->items.n);
	if (shape == LINT_DUPLICATES)
		write_sums(w, f, a);
	jw_key(w, keys[shape]);
	jw_array(w);
	for (size_t i = 0; i < f->items.n; i++) {
		if (shape == LINT_DUPLICATES)
			write_copies(w, &f->items.v[i], a);
		else
			write_item(w, shape, &f->items.v[i]);
	}
	jw_array_end(w);
	jw_object_end(w);
}
