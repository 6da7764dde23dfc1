#include "melange/tests/unit/apktree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/vec.h"
#include "shared/os/fd.h"

#define MOST (256u << 20)

static void need(bool ok, const char *path, const struct err *err)
{
	if (!ok)
		fail_msg("%s: %s", path, err->msg ? err->msg : "no reason given");
}

static struct str member(struct arena *a, const char *path, struct str *rest)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(MOST);
	size_t n = 0;
	need(gz_inflate_member(*rest, path, &out, &n, &err), path, &err);
	*rest = str_from(*rest, n);
	return str_n(arena_dup(a, out.p ? out.p : "", out.n), out.n);
}

static void add_file(struct tree *t, const struct tar_entry *e, struct str name, struct str bytes,
	const char *path)
{
	auto_err struct err err = ERR_INIT;
	if (e->type == '5') {
		need(tree_mkdirs(t, name, e->mode, &err), path, &err);
	} else if (e->type == '2') {
		need(tree_symlink(t, name, e->link, &err), path, &err);
	} else if (e->type == '1') {
		struct tree_node *target = tree_find(t, e->link, false);
		assert_non_null(target);
		struct tree_node *n = tree_put(t, name, S(""), e->mode, &err);
		need(n, path, &err);
		tree_share(n, target);
	} else if (e->type == '0') {
		need(tree_put(t, name, bytes, e->mode, &err), path, &err);
	}
}

static void read_tar(struct str tar, const char *path, struct arena *a, struct apktree *ret,
	bool control)
{
	auto_err struct err err = ERR_INIT;
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	struct str name;
	int more;
	mem_source_init(&src, tar);
	tar_reader_init(&r, &src.src, path, a);
	while ((more = tar_next(&r, &e, &err)) > 0) {
		struct str bytes = str_sub(tar, (size_t)r.at, (size_t)e.size);
		if (control && str_is(e.name, ".PKGINFO"))
			ret->info = bytes;
		else if (control && str_is(e.name, ".melange.yaml"))
			ret->config = bytes;
		else if (!control && tar_name_ok(e.name, &name))
			add_file(&ret->files, &e, name, bytes, path);
	}
	need(more == 0, path, &err);
}

void apktree_open(const char *path, struct arena *a, struct apktree *ret)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf file = BUF_INIT(MOST), data = BUF_INIT(MOST);
	need(file_read(path, &file, &err), path, &err);
	struct str rest = buf_str(&file);
	struct str control = member(a, path, &rest);
	if (str_starts(control, S(".SIGN.")))
		control = member(a, path, &rest);
	*ret = (struct apktree){ 0 };
	tree_init(&ret->files);
	read_tar(control, path, a, ret, true);
	while (rest.n)
		buf_addstr(&data, member(a, path, &rest));
	read_tar(str_n(arena_dup(a, data.p, data.n), data.n), path, a, ret, false);
}

struct strs apktree_values(const struct apktree *t, struct str key, struct arena *a)
{
	struct str rest = t->info, line;
	struct strs out = { 0 };
	while (str_next(&rest, '\n', &line))
		if (str_skip(&line, key) && str_skip(&line, S(" = ")))
			strs_push(a, &out, line);
	return out;
}
