#include "shared/apk/repo.h"

#include <unistd.h>
#include "shared/base/buf.h"
#include "shared/base/log.h"
#include "shared/os/fd.h"

#define MAX_INDEX_FILE ((size_t)256 << 20)

static bool is_url(struct str s)
{
	return str_starts(s, S("http://")) || str_starts(s, S("https://"));
}

static struct str without_slashes(struct str s)
{
	while (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

static bool tag_ok(struct str tag)
{
	for (size_t i = 0; i < tag.n; i++) {
		char c = tag.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '_' || c == '-' || c == '.'))
			return false;
	}
	return tag.n > 0;
}

bool repo_line_parse(struct str line, struct repo_line *ret, struct err *err)
{
	struct repo_line out = { 0 };
	struct str rest = line, extra;
	bool ok = str_word(&rest, &out.url);
	if (ok && str_skip(&out.url, S("@"))) {
		out.tag = out.url;
		ok = tag_ok(out.tag) && str_word(&rest, &out.url) && !str_word(&rest, &extra);
	} else if (ok) { /* a path may hold blanks */
		out.url = str_trim(line);
	}
	if (!ok)
		return err_set(err, EK_PARSE, "invalid repository line '%.*s'\n"
					      "hint: write 'URL', 'PATH' or '@tag URL'",
			STR_ARG(line));
	out.is_local = !is_url(out.url);
	out.url = without_slashes(out.url);
	*ret = out;
	return true;
}

static struct apk_index *new_index(const struct repo_line *l, struct str arch, struct arena *a)
{
	struct apk_index *idx = arena_new(a, struct apk_index);
	idx->repo = arena_str(a, l->url);
	idx->base = arena_strf(a, "%.*s/%.*s", STR_ARG(l->url), STR_ARG(arch));
	idx->arch = arena_str(a, arch);
	idx->tag = arena_str(a, l->tag);
	idx->is_local = l->is_local;
	return idx;
}

static bool read_bytes(struct str bytes, const char *name, const struct repo_opts *o,
	struct arena *a, struct apk_index *idx, struct err *err)
{
	static const struct keyring none;
	struct index_read_opts r = { .name = name, .max_inflated = o->max_inflated };
	if (!o->ignore_signatures)
		r.keys = o->keys ? o->keys : &none;
	return index_read(bytes, &r, a, idx, err);
}

static bool load_local(struct apk_index *idx, const struct repo_opts *o, struct arena *a,
	bool *ret_found, struct err *err)
{
	char *path = arena_printf(a, "%.*s/APKINDEX.tar.gz", STR_ARG(idx->base));
	auto_buf struct buf bytes = BUF_INIT(MAX_INDEX_FILE);
	*ret_found = access(path, F_OK) == 0;
	if (!*ret_found) {
		log_warn("no index at '%s': repository skipped", path);
		return true;
	}
	return file_read(path, &bytes, err) && read_bytes(buf_str(&bytes), path, o, a, idx, err);
}

bool repo_load(const struct strs *lines, struct str arch, const struct repo_opts *opts,
	struct arena *a, struct apk_indexes *ret, struct err *err)
{
	struct apk_indexes out = { 0 };
	for (size_t i = 0; i < lines->n; i++) {
		struct repo_line l;
		bool found = false;
		if (!repo_line_parse(lines->v[i], &l, err))
			return false;
		struct apk_index *idx = new_index(&l, arch, a);
		if (!load_local(idx, opts, a, &found, err))
			return err_wrap(err, "reading index of '%.*s'", STR_ARG(l.url));
		if (found)
			vec_push(a, &out, idx);
	}
	*ret = out;
	return true;
}
