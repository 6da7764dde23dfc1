#include "shared/apk/install.h"

#include <string.h>

#include "shared/apk/dep.h"
#include "shared/apk/instdb.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/log.h"
#include "shared/base/map.h"

#define DB "usr/lib/apk/db"

/* The initial file system */

static const struct {
	const char *path;
	uint32_t mode;
} first_dirs[] = {
	{ "tmp", 01777 }, { "dev", 0755 }, { "etc", 0755 }, { "opt", 0755 }, { "proc", 0555 },
	{ "var", 0755 }, { "usr", 0755 }, { "etc/apk", 0755 }, { "etc/apk/keys", 0755 },
	{ DB, 0755 }, { "usr/lib/apk/exec", 0755 }, { "var/cache", 0755 },
	{ "var/cache/apk", 0755 }, { "var/cache/misc", 0755 },
};

static const struct {
	const char *name;
	uint32_t mode, major, minor;
} devices[] = {
	{ "zero", 0666, 1, 5 }, { "urandom", 0666, 1, 9 }, { "null", 0666, 1, 3 },
	{ "random", 0666, 1, 8 }, { "console", 0620, 5, 1 },
};

static bool make_dir(struct tree *t, const char *path, uint32_t mode, struct err *err)
{
	struct tree_node *n = tree_find(t, str_of(path), true);
	if (n && n->type == '5')
		return true;
	n = tree_mkdirs(t, str_of(path), 0755, err);
	if (n)
		n->mode = mode;
	return n != NULL;
}

static bool make_device(struct tree *t, size_t i, struct err *err)
{
	struct tree_node *dev = tree_mkdirs(t, S("dev"), 0755, err);
	if (!dev)
		return false;
	if (tree_kid(dev, str_of(devices[i].name)))
		return true;
	struct tree_node *n = tree_add(t, dev, str_of(devices[i].name), '3');
	n->mode = devices[i].mode;
	n->major = devices[i].major;
	n->minor = devices[i].minor;
	return true;
}

static bool put_lines(struct tree *t, const char *path, const struct strs *lines, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(64u << 20);
	for (size_t i = 0; i < lines->n; i++)
		buf_printf(&b, "%.*s\n", STR_ARG(lines->v[i]));
	return tree_put(t, str_of(path), buf_str(&b), 0644, err) != NULL;
}

static bool put_keys(struct tree *t, const struct keyring *keys, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; keys && i < keys->n; i++)
		if (!tree_put(t, arena_strf(&a, "etc/apk/keys/%.*s", STR_ARG(keys->v[i].name)),
				keys->v[i].pem, 0644, err))
			return false;
	return true;
}

static bool put_database(struct tree *t, struct err *err)
{
	static const char zeros[TAR_END_SIZE];
	return tree_put(t, S(DB "/lock"), S(""), 0600, err) &&
		tree_put(t, S(DB "/triggers"), S(""), 0644, err) &&
		tree_put(t, S(DB "/installed"), S(""), 0644, err) &&
		tree_put(t, S(DB "/scripts.tar"), str_n(zeros, sizeof(zeros)), 0644, err);
}

bool install_init(struct tree *t, const struct install_base *b, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < countof(first_dirs); i++)
		if (!make_dir(t, first_dirs[i].path, first_dirs[i].mode, err))
			return false;
	for (size_t i = 0; i < countof(devices); i++)
		if (!make_device(t, i, err))
			return false;
	return put_lines(t, "etc/apk/world", b->world, err) &&
		put_lines(t, "etc/apk/repositories", b->repositories, err) &&
		tree_put(t, S("etc/apk/arch"), arena_strf(&a, "%.*s\n", STR_ARG(b->arch)), 0644, err) &&
		put_database(t, err) && put_keys(t, b->keys, err);
}

/* Packages */

struct installing {
	struct tree *t;
	const struct install_opts *opts;
	struct arena *a;
	const struct apk_file *file;	/* being installed */
	struct tree_node **nodes;	/* of its entries; NULL = not installed */
	struct tree_node *last_dir;	/* where the last entry stood */
	struct str last_dir_name;
	struct owned_list *owned;
};

/* Nodes whose owner is known by name only, until all packages are there. */
struct owned {
	struct tree_node *n;
	const struct apk_entry *e;
};
struct owned_list {
	struct owned *v;
	size_t n, cap;
	struct arena *a;
};

static void set_owner_later(struct installing *in, struct tree_node *n, const struct apk_entry *e)
{
	if (in->file->sums)
		vec_push(in->owned->a, in->owned, (struct owned){ n, e });
}

static void set_owners(const struct owned_list *owned, const struct owners *who)
{
	for (size_t i = 0; i < owned->n; i++) {
		owned->v[i].n->uid = owners_user(who, owned->v[i].e->uname);
		owned->v[i].n->gid = owners_group(who, owned->v[i].e->gname);
	}
}

/* Whether one of `replaces` names the package, in a version that it allows. */
static bool replaces(const struct apk_pkg *by, const struct apk_pkg *what)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err ignored = ERR_INIT;
	struct str rest = by->replaces, word;
	while (str_word(&rest, &word)) {
		struct apk_dep d;
		if (!apk_dep_parse(word, &a, &d, &ignored))
			continue;
		if (str_eq(d.name, what->name) &&
			(d.op == 0 || apk_version_match(what->version, d.op, d.version)))
			return true;
	}
	return false;
}

static bool same_content(const struct tree_node *old, const struct apk_entry *e)
{
	uint8_t md[SHA1_SIZE];
	/* in the tree a hard link is a file */
	if (!e->has_sha1 || old->type != (e->type == '1' ? '0' : e->type))
		return false;
	if (old->type == '2') {
		digest_once(DIGEST_SHA1, old->link.p, old->link.n, md);
	} else if (old->body->has_sha1) {
		memcpy(md, old->body->sha1, sizeof(md));
	} else if (!old->body->blob && old->body->bytes) {
		digest_once(DIGEST_SHA1, old->body->bytes, old->body->size, md);
	} else {
		return false;
	}
	return memcmp(md, e->sha1, sizeof(md)) == 0;
}

enum verdict { TAKE, SKIP, REFUSE };

/* Who gets a path that two packages bring (apk-format 6.3, 6.5). */
static enum verdict decide(const struct installing *in, const struct tree_node *old,
	const struct apk_entry *e, struct err *err)
{
	const struct apk_file *owner = old->owner;
	const struct apk_pkg *ours = &in->file->info;
	if (old->type == '5') {
		(void)err_set(err, EK_CONFLICT, "package '%.*s': '%.*s' is a directory already",
			STR_ARG(ours->name), STR_ARG(e->name));
		return REFUSE;
	}
	bool same = same_content(old, e);
	if (same && (e->type == '2' || !owner || (old->mode & 07777) == (e->mode & 07777)))
		return SKIP;
	if (!owner)
		return TAKE;
	const struct apk_pkg *theirs = &owner->info;
	if (replaces(theirs, ours))
		return SKIP;
	if ((ours->origin.n && str_eq(ours->origin, theirs->origin)) || replaces(ours, theirs))
		return TAKE;
	(void)err_set(err, EK_CONFLICT,
		"packages map[%.*s:%.*s %.*s:%.*s] have a conflicting file: \"%.*s\"%s\n"
		"hint: leave one of the packages out, or let one name the other in its replaces",
		STR_ARG(theirs->name), STR_ARG(theirs->origin), STR_ARG(ours->name),
		STR_ARG(ours->origin), STR_ARG(e->name), same ? " (same content, other mode)" : "");
	return REFUSE;
}

/* The directory an entry goes to. One that has no entry is made, with a warning. */
static struct tree_node *entry_dir(struct installing *in, const struct apk_entry *e,
	struct str *ret_base, struct err *err)
{
	long slash = str_rchr(e->name, '/');
	struct str dir = str_sub(e->name, 0, slash < 0 ? 0 : (size_t)slash);
	*ret_base = str_from(e->name, (size_t)(slash + 1));
	if (in->last_dir && str_eq(dir, in->last_dir_name))
		return in->last_dir;
	struct tree_node *n = tree_find(in->t, dir, true);
	if (!n && in->file->sums) {
		n = tree_mkdirs(in->t, dir, 0755, err);
	} else if (!n) {
		log_warn("package %.*s brings '%.*s' without an entry for its directory",
			STR_ARG(in->file->info.name), STR_ARG(e->name));
		n = tree_mkdirs(in->t, dir, 0755, err);
	}
	if (n && n->type != '5') {
		(void)err_set(err, EK_CONFLICT, "package '%.*s': the directory of '%.*s' is a file",
			STR_ARG(in->file->info.name), STR_ARG(e->name));
		n = NULL;
	}
	in->last_dir = n;
	in->last_dir_name = dir;
	return n;
}

static void set_meta(struct installing *in, struct tree_node *n, const struct apk_entry *e)
{
	n->mode = e->mode & 07777;
	n->mtime = e->mtime;
	n->uid = in->opts->header_owners ? e->uid : 0;
	n->gid = in->opts->header_owners ? e->gid : 0;
	n->from_header_owner = in->opts->header_owners;
	n->xattrs = e->xattrs;
	n->n_xattrs = e->n_xattrs;
	set_owner_later(in, n, e);
}

static bool install_dir(struct installing *in, const struct apk_entry *e, struct tree_node *dir,
	struct str base, struct tree_node **ret, struct err *err)
{
	struct tree_node *n = tree_kid(dir, base);
	if (n && n->type == '2')
		n = tree_find(in->t, e->name, true);
	if (n && n->type == '5') {
		/* a shared directory keeps its mode and takes the time of the last package */
		n->mtime = e->mtime;
		*ret = n;
		return true;
	}
	if (n || tree_kid(dir, base))
		return err_set(err, EK_CONFLICT, "package '%.*s': the directory '%.*s' is a file already",
			STR_ARG(in->file->info.name), STR_ARG(e->name));
	n = tree_add(in->t, dir, base, '5');
	set_meta(in, n, e);
	/* apk-tools makes the directories of v3 packages by mkdir, which knows no set-id bits */
	if (!in->opts->keep_dir_bits)
		n->mode &= in->file->sums ? 01777 : 0777;
	*ret = n;
	return true;
}

static void set_content(struct installing *in, struct tree_node *n, const struct apk_entry *e)
{
	if (e->type == '2') {
		n->link = e->link;
		n->mode = 0777;
		return;
	}
	struct tree_body *b = n->body;
	b->size = e->size;
	b->blob = &in->file->data;
	b->off = e->off;
	b->bytes = NULL;
	memcpy(b->sha1, e->sha1, sizeof(b->sha1));
	b->has_sha1 = e->has_sha1;
}

static bool link_to(struct installing *in, struct tree_node *n, const struct apk_entry *e,
	struct err *err)
{
	struct tree_node *target = tree_find(in->t, e->link, false);
	if (!target || target->type != '0')
		return err_set(err, EK_PARSE, "package '%.*s': no hard link target '%.*s' for '%.*s'",
			STR_ARG(in->file->info.name), STR_ARG(e->link), STR_ARG(e->name));
	tree_share(n, target);
	n->mode = target->mode;
	n->uid = target->uid;
	n->gid = target->gid;
	n->mtime = target->mtime;
	n->xattrs = target->xattrs;
	n->n_xattrs = target->n_xattrs;
	if (target->owner == in->file)
		set_owner_later(in, n, target->entry);
	return true;
}

static bool install_file(struct installing *in, const struct apk_entry *e, struct tree_node *dir,
	struct str base, struct tree_node **ret, struct err *err)
{
	struct tree_node *old = tree_kid(dir, base);
	if (old) {
		enum verdict v = decide(in, old, e, err);
		/* both records show a link that two packages bring */
		if (v == SKIP && e->type == '2')
			*ret = old;
		if (v != TAKE)
			return v == SKIP;
		tree_remove(in->t, old);
	}
	struct tree_node *n = tree_add(in->t, dir, base, e->type == '1' ? '0' : e->type);
	n->owner = in->file;
	n->entry = e;
	*ret = n;
	if (e->type == '1')
		return link_to(in, n, e, err);
	set_meta(in, n, e);
	set_content(in, n, e);
	return true;
}

static bool install_device(struct installing *in, const struct apk_entry *e, struct tree_node *dir,
	struct str base, struct tree_node **ret, struct err *err)
{
	if (!in->opts->devices)
		return err_set(err, EK_OTHER, "package '%.*s': unsupported file type: '%.*s' is a %s",
			STR_ARG(in->file->info.name), STR_ARG(e->name),
			e->type == '6' ? "fifo" : "device node");
	struct tree_node *n = tree_kid(dir, base);
	if (n && (n->type == '5' || n->type == '0' || n->type == '2'))
		return err_set(err, EK_CONFLICT, "package '%.*s': '%.*s' exists already",
			STR_ARG(in->file->info.name), STR_ARG(e->name));
	if (!n)
		n = tree_add(in->t, dir, base, e->type);
	set_meta(in, n, e);
	n->major = e->major;
	n->minor = e->minor;
	n->owner = in->file;
	n->entry = e;
	*ret = n;
	return true;
}

static bool install_entry(struct installing *in, size_t i, struct err *err)
{
	const struct apk_entry *e = &in->file->entries[i];
	struct str base;
	struct tree_node *dir = entry_dir(in, e, &base, err);
	if (!dir)
		return false;
	switch (e->type) {
	case '5':
		return install_dir(in, e, dir, base, &in->nodes[i], err);
	case '0':
	case '1':
	case '2':
		return install_file(in, e, dir, base, &in->nodes[i], err);
	}
	return install_device(in, e, dir, base, &in->nodes[i], err);
}

/* Of an entry installed earlier, another package may have taken the path since. */
static bool still_there(const struct apk_file *f, size_t i, struct tree_node *const *nodes)
{
	if (f->entries[i].type == '5')
		return nodes[i] != NULL;
	if (f->entries[i].type == '2' && nodes[i] && nodes[i]->type == '2' &&
		str_eq(nodes[i]->link, f->entries[i].link))
		return tree_kid(nodes[i]->parent, nodes[i]->name) == nodes[i];
	return nodes[i] && nodes[i]->owner == f && nodes[i]->entry == &f->entries[i] &&
		tree_kid(nodes[i]->parent, nodes[i]->name) == nodes[i];
}

static struct str record_of(const struct apk_file *f, struct tree_node *const *nodes,
	const struct owners *who, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1u << 30);
	auto_arena struct arena scratch = ARENA_INIT;
	bool *kept = arena_array(&scratch, bool, f->n_entries + 1);
	for (size_t i = 0; i < f->n_entries; i++)
		kept[i] = still_there(f, i, nodes);
	if (f->sums)
		instdb_record_v3(f, kept, who, &b);
	else
		instdb_record(f, kept, &b);
	return arena_str(a, buf_str(&b));
}

/* "NAME-VERSION.HASH.SCRIPT". apk-tools 3 has hashes in hex there, whose text holds no slash. */
static struct str script_name(const struct apk_pkg *p, struct str script, bool v3, struct arena *a)
{
	char hex[2 * sizeof(p->checksum) + 1];
	struct str nv = apk_pkg_nv(p, a), q = apk_pkg_q(p, a);
	if (v3) {
		hex_encode(p->checksum, p->checksum_n, hex);
		q = arena_strf(a, "X%c%s", p->checksum_n == SHA1_SIZE ? '1' : '2', hex);
	}
	return arena_strf(a, "%.*s.%.*s%.*s", STR_ARG(nv), STR_ARG(q), STR_ARG(script));
}

static bool add_scripts(const struct install_result *r, const struct install_opts *opts, bool v3,
	struct buf *out, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct apk_file *f = r->records[i].file;
		for (size_t k = 0; k < f->n_scripts; k++) {
			const struct apk_script *s = &f->scripts[k];
			auto_arena struct arena a = ARENA_INIT;
			if ((s->mode & 0555) != 0555)
				continue;
			struct tar_entry e = {
				.name = script_name(&f->info, s->name, v3, &a),
				.type = '0',
				.mode = s->mode & 07777,
				.size = s->text.n,
				.mtime = opts->script_time,
				.uname = S("root"),
				.gname = S("root"),
			};
			if (!tar_header(&e, out, err))
				return false;
			buf_addstr(out, s->text);
			buf_addzero(out, tar_padding(s->text.n));
		}
	}
	buf_addzero(out, TAR_END_SIZE);
	return true;
}

static void add_triggers(const struct install_result *r, struct buf *out)
{
	auto_arena struct arena a = ARENA_INIT;
	for (size_t i = 0; i < r->n; i++) {
		const struct apk_pkg *p = &r->records[i].file->info;
		if (p->triggers.n)
			buf_printf(out, "%.*s %.*s\n", STR_ARG(apk_pkg_q(p, &a)),
				STR_ARG(str_trim(p->triggers)));
	}
}

/* Appends to a file of the database, which a base image may have filled. */
static bool append_file(struct tree *t, const char *path, const struct buf *text, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct tree_node *n = tree_find(t, str_of(path), true);
	struct str old = STR_NONE;
	if (!n || n->type != '0')
		return err_set(err, EK_OTHER, "the tree has no '%s'", path);
	if (!tree_read(n, &a, 1u << 30, &old, err))
		return false;
	auto_buf struct buf b = BUF_INIT(2u << 30);
	buf_addstr(&b, old);
	buf_add(&b, text->p, text->n);
	tree_set_bytes(t, n, buf_str(&b));
	return true;
}

static bool any_v3(const struct install_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->records[i].file->sums)
			return true;
	return false;
}

static bool write_scripts(struct tree *t, const struct install_result *r,
	const struct install_opts *opts, struct err *err)
{
	auto_buf struct buf tar = BUF_INIT(1u << 30), gz = BUF_INIT(1u << 30);
	struct tree_node *n = tree_find(t, S(DB "/scripts.tar"), true);
	bool v3 = any_v3(r);
	if (!add_scripts(r, opts, v3, &tar, err))
		return false;
	if (!v3) {
		if (n && n->type == '0')
			tree_set_bytes(t, n, buf_str(&tar));
		return true;
	}
	if (n)
		tree_remove(t, n);
	return gz_deflate(buf_str(&tar), 6, &gz, err) &&
		tree_put(t, S(DB "/scripts.tar.gz"), buf_str(&gz), 0644, err);
}

static bool write_database(struct tree *t, const struct install_result *r,
	const struct install_opts *opts, struct err *err)
{
	auto_buf struct buf installed = BUF_INIT(1u << 30), triggers = BUF_INIT(64u << 20);
	for (size_t i = 0; i < r->n; i++)
		buf_addstr(&installed, r->records[i].text);
	add_triggers(r, &triggers);
	return write_scripts(t, r, opts, err) &&
		append_file(t, DB "/installed", &installed, err) &&
		append_file(t, DB "/triggers", &triggers, err);
}

bool install_packages(struct tree *t, const struct apk_file *files, size_t n,
	const struct install_opts *opts, struct arena *a, struct install_result *ret,
	struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	auto_map struct map names;
	auto_owners struct owners who = { 0 };
	struct owned_list owned = { .a = &scratch };
	map_init(&names, &scratch);
	struct tree_node ***nodes = arena_array(&scratch, struct tree_node **, n + 1);
	struct install_result r = { .records = arena_array(a, struct install_record, n + 1) };
	for (size_t i = 0; i < n; i++) {
		if (map_put(&names, files[i].info.name, (void *)&files[i]))
			continue;
		struct installing in = { .t = t, .opts = opts, .a = a, .file = &files[i],
			.owned = &owned };
		in.nodes = arena_array(&scratch, struct tree_node *, files[i].n_entries + 1);
		for (size_t k = 0; k < files[i].n_entries; k++)
			if (!install_entry(&in, k, err))
				return err_wrap(err, "installing %.*s (ver:%.*s arch:%.*s)",
					STR_ARG(files[i].info.name), STR_ARG(files[i].info.version),
					STR_ARG(files[i].info.arch));
		nodes[r.n] = in.nodes;
		r.records[r.n++].file = &files[i];
	}
	if (!owners_read(&who, t, &opts->users, &opts->groups, &scratch, err))
		return false;
	set_owners(&owned, &who);
	for (size_t i = 0; i < r.n; i++)
		r.records[i].text = record_of(r.records[i].file, nodes[i], &who, a);
	*ret = r;
	return write_database(t, &r, opts, err);
}

/* A real lib/apk whose directories hold nothing gives way to the link. */
static bool only_empty_dirs(const struct tree_node *n)
{
	for (size_t i = 0; i < n->n_kids; i++)
		if (n->kids[i]->type != '5' || !only_empty_dirs(n->kids[i]))
			return false;
	return true;
}

bool install_link_db(struct tree *t, bool merged_lib, struct err *err)
{
	struct tree_node *lib = tree_kid(t->root, S("lib"));
	if (!lib && merged_lib)
		return tree_symlink(t, S("lib"), S("usr/lib"), err) != NULL;
	if (lib && lib->type == '2') {
		struct tree_node *at = tree_find(t, S("lib/apk"), true);
		if (at && at == tree_find(t, S("usr/lib/apk"), true))
			return true;
	}
	struct tree_node *old = tree_find(t, S("lib/apk"), false);
	if (old && old->type == '2' &&
		tree_find(t, S("lib/apk"), true) == tree_find(t, S("usr/lib/apk"), true))
		return true;
	if (old && (old->type != '5' || !only_empty_dirs(old)))
		return err_set(err, EK_CONFLICT,
			"'lib/apk' is not empty: refusing to replace it by a link to usr/lib/apk");
	if (old)
		tree_remove(t, old);
	struct tree_node *n = tree_symlink(t, S("lib/apk"), S("../usr/lib/apk"), err);
	lib = tree_find(t, S("lib"), true);
	if (n && lib)
		n->mtime = lib->mtime;
	return n != NULL;
}
