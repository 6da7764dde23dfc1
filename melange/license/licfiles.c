#include "melange/license/licfiles.h"

#include <ctype.h>
#include <stdlib.h>

#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/path.h"

#define MAX_FILES 10000
#define TOP_BONUS 0.5

enum shape { BARE, ENDING, TAIL, HEAD, SHAPES };

static const struct {
	const char *name;
	double weight[SHAPES];	/* of NAME, NAME.x, NAME-x, x-NAME; 0 = none */
} known[] = {
	{ "license", { 1.0, 0.8, 0.7, 0.6 } },
	{ "licence", { 1.0, 0.8, 0.7, 0.6 } },
	{ "unlicense", { 1.0, 0.8, 0.7, 0.6 } },
	{ "unlicence", { 1.0, 0.8, 0.7, 0.6 } },
	{ "copying", { 0.9, 0.75, 0.65, 0.55 } },
	{ "copyright", { 0.9, 0.75, 0.65, 0.55 } },
	{ "ofl", { 0.4, 0.5, 0, 0 } },
	{ "patents", { 0.35, 0.3, 0, 0 } },
};
static const char *const endings_out[] = { ".xml", ".go", ".gemspec", ".spdx", ".header" };
static const char *const dirs_out[] = { ".virtualenv", "env", "node_modules", "rust-src",
	"rustc-src", "venv", "melange-out" };

static double max(double a, double b)
{
	return a > b ? a : b;
}

static double weight_as(struct str name, size_t i)
{
	struct str word = str_of(known[i].name), rest = name;
	double w = 0;
	if (str_skip(&rest, word)) {
		if (!rest.n)
			w = known[i].weight[BARE];
		else if (rest.p[0] == '.')
			w = known[i].weight[ENDING];
		else if (rest.p[0] == '-')
			w = known[i].weight[TAIL];
	}
	long dash = str_rchr(name, '-');
	rest = str_from(name, (size_t)(dash + 1));
	if (dash > 0 && str_skip(&rest, word) && (!rest.n || rest.p[0] == '.'))
		w = max(w, known[i].weight[HEAD]);
	return w;
}

double lic_weight(struct str name)
{
	char lower[256];
	double w = 0;
	if (name.n >= sizeof(lower))
		return 0;
	for (size_t i = 0; i < name.n; i++)
		lower[i] = (char)tolower((unsigned char)name.p[i]);
	name.p = lower;
	for (size_t i = 0; i < countof(endings_out); i++)
		if (str_ends(name, str_of(endings_out[i])))
			return 0;
	for (size_t i = 0; i < countof(known); i++)
		w = max(w, weight_as(name, i));
	return w;
}

/* "-1.2.3-" as "-", so that versioned directories are known by their names. */
static struct str collapsed(struct str part, char *buf)
{
	size_t n = 0;
	for (size_t i = 0; i < part.n; i++) {
		size_t end = i + 1;
		while (part.p[i] == '-' && end < part.n &&
			(isdigit((unsigned char)part.p[end]) || part.p[end] == '.'))
			end++;
		buf[n++] = part.p[i];
		if (end > i + 1 && end < part.n && part.p[end] == '-')
			i = end;
	}
	return str_n(buf, n);
}

static bool dir_left_out(struct str name, bool deep)
{
	char buf[256];
	if (name.n >= sizeof(buf))
		return false;
	name = collapsed(name, buf);
	for (size_t i = 0; i < countof(dirs_out); i++)
		if (str_is(name, dirs_out[i]))
			return true;
	return !deep && str_is(name, "vendor");
}

struct finding {
	struct arena *a;
	struct lic_files *files;
	bool deep;
};

static bool visit(const struct dir_entry *e, bool *skip, void *user, struct err *err)
{
	struct finding *f = user;
	struct str path = str_of(e->path), name = str_of(e->name);
	bool top = str_chr(path, '/') < 0;
	(void)err;
	if (S_ISDIR(e->st.st_mode)) {
		*skip = dir_left_out(name, f->deep) || (!f->deep && !top);
		return true;
	}
	double w = S_ISREG(e->st.st_mode) && path_is_safe(path) ? lic_weight(name) : 0;
	if (w > 0 && f->files->n < MAX_FILES)
		vec_push(f->a, f->files,
			(struct lic_file){ arena_str(f->a, path), w + (top ? TOP_BONUS : 0) });
	return true;
}

static int heavier(const void *pa, const void *pb)
{
	const struct lic_file *a = pa, *b = pb;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return str_cmp(a->path, b->path);
}

bool lic_find(int dirfd, const char *name, bool deep, struct arena *a, struct lic_files *ret,
	struct err *err)
{
	struct lic_files files = { 0 };
	struct finding f = { a, &files, deep };
	if (!dir_walk_at(dirfd, name, visit, &f, err))
		return false;
	if (files.n == MAX_FILES)
		log_warn("'%s' has more than %d licence files: the others are left out", name, MAX_FILES);
	if (files.n)
		qsort(files.v, files.n, sizeof(files.v[0]), heavier);
	*ret = files;
	return true;
}
