#include "shared/image/base.h"

#include <string.h>

#include "shared/apk/index.h"
#include "shared/os/fd.h"

#define MAX_DATABASE (1u << 30)

/* The package's own lines, without its directories and files. Lists are as the dependency lists
 * of an index: without the brackets that apko puts around install_if. */
static void add_line(struct buf *out, struct str line)
{
	static const char of_files[] = "FRMaZ";
	if (line.n > 1 && line.p[1] == ':' && strchr(of_files, line.p[0]))
		return;
	bool list = str_starts(line, S("i:["));
	if (list) {
		buf_adds(out, "i:");
		line = str_from(line, 2);
		while (str_skip(&line, S("[")) && str_chop(&line, S("]")))
			;
	}
	buf_addstr(out, line);
	buf_addc(out, '\n');
}

bool image_base_read(struct str text, const char *name, const struct apk_arch *arch,
	struct arena *a, struct image_base *ret, struct err *err)
{
	auto_buf struct buf records = BUF_INIT(MAX_DATABASE);
	struct str rest = text, line;
	while (rest.n && str_next(&rest, '\n', &line))
		add_line(&records, line);
	struct apk_index *idx = arena_new(a, struct apk_index);
	if (!index_parse(arena_str(a, buf_str(&records)), name, a, idx, err))
		return false;
	idx->repo = idx->base = S("base_image_apkindex");
	idx->arch = str_of(arch->apk);
	*ret = (struct image_base){ .installed = text, .index = idx };
	return true;
}

bool image_base_load(const struct imgconf *c, const struct strs *roots, const struct apk_arch *arch,
	struct arena *a, struct image_base *ret, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_DATABASE);
	if (!c->contents.baseimage) {
		*ret = (struct image_base){ 0 };
		return true;
	}
	const char *dir = imgconf_locate(c->contents.baseimage->apkindex.s, roots, a);
	const char *path = arena_printf(a, "%s/%s/APKINDEX", dir, arch->apk);
	if (!file_read(path, &text, err))
		return err_wrap(err, "packages of the base image");
	while (text.n && !str_ends(buf_str(&text), S("\n\n")))
		buf_addc(&text, '\n');
	return image_base_read(arena_str(a, buf_str(&text)), path, arch, a, ret, err);
}

void image_base_atoms(const struct image_base *b, struct arena *a, struct strs *list)
{
	for (size_t i = 0; b->index && i < b->index->n; i++) {
		const struct apk_pkg *p = &b->index->pkgs[i];
		strs_push(
			a, list, arena_strf(a, "%.*s=%.*s", STR_ARG(p->name), STR_ARG(p->version)));
	}
}

bool image_base_has(const struct image_base *b, struct str name)
{
	for (size_t i = 0; b->index && i < b->index->n; i++)
		if (str_eq(b->index->pkgs[i].name, name))
			return true;
	return false;
}

bool image_provides(const struct apk_pkg *p, struct str name)
{
	struct str rest = p->provides, word, before, after;
	while (str_word(&rest, &word)) {
		(void)str_cut(word, '=', &before, &after);
		if (str_eq(before, name))
			return true;
	}
	return false;
}

bool image_base_provides(const struct image_base *b, struct str name)
{
	for (size_t i = 0; b->index && i < b->index->n; i++)
		if (image_provides(&b->index->pkgs[i], name))
			return true;
	return false;
}
