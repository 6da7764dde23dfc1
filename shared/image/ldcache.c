#include "shared/image/ldcache.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/match.h"
#include "shared/os/path.h"
#include "shared/rootfs/elf.h"

#define MAX_CONF (1u << 20)
#define MAX_FILES 4096
#define MAX_NESTING 16
#define MAX_LIBS 100000
#define MAX_CACHE (256u << 20)
#define HEADER 48
#define ENTRY 24

struct lib {
	struct str path; /* absolute */
	struct str name; /* its end */
	uint32_t flags;
	size_t at; /* order found */
};
struct ldcache {
	struct tree *t;
	struct arena a;
	struct strs dirs;
	size_t n_files;
	VEC(struct lib) libs;
};

static bool read_conf(struct ldcache *c, struct str path, unsigned depth, struct err *err);

/* Every file below `dir` that the rest of an include's pattern matches, in order of names. */
static bool include_in(struct ldcache *c, struct tree_node *dir, struct str dir_path,
	struct str pattern, unsigned depth, struct err *err)
{
	struct str part, rest;
	bool more = str_cut(pattern, '/', &part, &rest);
	for (size_t i = 0; i < dir->n_kids; i++) {
		struct str name = dir->kids[i]->name;
		if (!match_glob(part, name) || (name.p[0] == '.' && part.p[0] != '.'))
			continue;
		struct str path = arena_strf(&c->a, "%.*s/%.*s", STR_ARG(dir_path), STR_ARG(name));
		struct tree_node *n = tree_find(c->t, path, true);
		if (!n)
			continue;
		if (more && n->type == '5' && !include_in(c, n, path, rest, depth, err))
			return false;
		if (!more && n->type == '0' && !read_conf(c, path, depth + 1, err))
			return false;
	}
	return true;
}

static bool include(
	struct ldcache *c, struct str conf, struct str patterns, unsigned depth, struct err *err)
{
	struct str word;
	while (str_word(&patterns, &word)) {
		struct str dir = str_starts(word, S("/")) ? S("/") : path_dir(conf);
		struct str full = path_join(
			&c->a, S("/"), arena_strf(&c->a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(word)));
		if (!include_in(c, c->t->root, S(""), str_from(full, 1), depth, err))
			return false;
	}
	return true;
}

static bool skip_word(struct str *line, struct str word)
{
	struct str s = *line;
	if (!str_skip(&s, word) || !s.n || !strchr(" \t", s.p[0]))
		return false;
	*line = str_trim(s);
	return true;
}

/* One file: directories as they come, each once per file, includes in their place. */
static bool read_conf(struct ldcache *c, struct str path, unsigned depth, struct err *err)
{
	struct str text, line;
	struct strs seen = {0};
	const struct tree_node *n = tree_find(c->t, path, true);
	if (!n || n->type != '0')
		return true;
	if (depth > MAX_NESTING)
		return err_set(err, EK_PARSE, "'%.*s': ld.so.conf includes nest too deeply",
			STR_ARG(path));
	if (++c->n_files > MAX_FILES)
		return err_set(err, EK_PARSE, "'%.*s': more than %d files for ld.so.conf",
			STR_ARG(path), MAX_FILES);
	if (!tree_read(n, &c->a, MAX_CONF, &text, err))
		return false;
	while (str_next(&text, '\n', &line)) {
		struct str behind;
		(void)str_cut(line, '#', &line, &behind);
		line = str_trim(line);
		if (!line.n || skip_word(&line, S("hwcap")) || strs_has(&seen, line))
			continue;
		strs_push(&c->a, &seen, line);
		if (!skip_word(&line, S("include")))
			strs_push(&c->a, &c->dirs, path_join(&c->a, S("/"), line));
		else if (!include(c, path, line, depth, err))
			return false;
	}
	return true;
}

/* glibc's flags: kind of library, and for some machines the float ABI. */
static bool machine_flags(const struct elf *e, uint32_t *ret)
{
	static const struct {
		uint16_t machine;
		bool is64;
		uint32_t mask, value; /* of e_flags */
		uint32_t flags;
	} table[] = {
		{ELF_X86_64, true, 0, 0, 0x0303},
		{ELF_X86_64, false, 0, 0, 0x0803},
		{ELF_AARCH64, true, 0, 0, 0x0a03},
		{ELF_386, false, 0, 0, 0x0003},
		{ELF_ARM, false, 0x400, 0x400, 0x0903},
		{ELF_ARM, false, 0, 0, 0x0003},
		{ELF_S390, true, 0, 0, 0x0403},
		{ELF_S390, false, 0, 0, 0x0003},
		{ELF_PPC64, true, 0, 0, 0x0503},
		{ELF_RISCV, true, 6, 4, 0x1003},
		{ELF_RISCV, true, 6, 0, 0x0f03},
		{ELF_LOONGARCH, true, 7, 3, 0x1203},
		{ELF_LOONGARCH, true, 7, 1, 0x1103},
	};
	for (size_t i = 0; i < countof(table); i++) {
		if (table[i].machine == e->machine && table[i].is64 == e->is64 &&
			(e->flags & table[i].mask) == table[i].value) {
			*ret = table[i].flags;
			return true;
		}
	}
	return false;
}

static bool candidate_name(struct str name)
{
	return (str_starts(name, S("lib")) || str_starts(name, S("ld-"))) &&
	       (str_ends(name, S(".so")) || str_find(name, S(".so.")) >= 0);
}

/* Whether the loader would ask for the library by this file name: its soname, or what a linker
 * uses for that. */
static bool wanted_name(struct str name, const struct elf *e)
{
	if (!e->soname.n)
		return str_ends(name, S(".so"));
	for (size_t i = 0; i < e->soname.n; i++) {
		struct str soname = e->soname.v[i];
		long so = str_find(soname, S(".so"));
		if (str_eq(name, soname) ||
			(so >= 0 && str_eq(name, str_sub(soname, 0, (size_t)so + 3))))
			return true;
	}
	return false;
}

static bool add_lib(struct ldcache *c, struct str path, struct str name,
	const struct tree_node *file, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	auto_err struct err broken = ERR_INIT;
	struct elf e;
	struct lib lib = {.path = path, .at = c->libs.n};
	if (!elf_open_node(file, &scratch, &e, &broken))
		return broken.kind == EK_NONE || broken.kind == EK_PARSE || err_move(err, &broken);
	if (e.type != ELF_DYN || !wanted_name(name, &e))
		return true;
	if (!machine_flags(&e, &lib.flags))
		return err_set(err, EK_OTHER,
			"cannot enter '%.*s' into ld.so.cache: a library of "
			"unknown kind for %.*s",
			STR_ARG(path), STR_ARG(elf_machine_name(e.machine, &scratch)));
	if (c->libs.n == MAX_LIBS)
		return err_set(err, EK_OTHER, "more than %d libraries for ld.so.cache", MAX_LIBS);
	lib.name = str_from(path, path.n - name.n);
	vec_push(&c->a, &c->libs, lib);
	return true;
}

static bool scan(struct ldcache *c, struct str dir_path, struct err *err)
{
	const struct tree_node *dir = tree_find(c->t, dir_path, true);
	for (size_t i = 0; dir && i < dir->n_kids; i++) {
		struct str name = dir->kids[i]->name;
		if (!candidate_name(name))
			continue;
		struct str path = path_join(&c->a, dir_path, name);
		const struct tree_node *n = tree_find(c->t, path, true);
		if (n && n->type == '0' && !add_lib(c, path, name, n, err))
			return false;
	}
	return true;
}

static struct str take_digits(struct str *s)
{
	size_t n = 0;
	while (n < s->n && isdigit((unsigned char)s->p[n]))
		n++;
	struct str run = str_sub(*s, 0, n);
	*s = str_from(*s, n);
	while (run.n > 1 && run.p[0] == '0')
		run = str_from(run, 1);
	return run;
}

/* The loader searches by this order of names: digit runs by value, and above other characters. */
static int compare_names(struct str a, struct str b)
{
	while (a.n && b.n) {
		bool da = isdigit((unsigned char)a.p[0]), db = isdigit((unsigned char)b.p[0]);
		if (da != db)
			return da ? 1 : -1;
		if (da) {
			struct str x = take_digits(&a), y = take_digits(&b);
			int c = x.n != y.n ? (x.n > y.n ? 1 : -1) : str_cmp(x, y);
			if (c)
				return c;
			continue;
		}
		if (a.p[0] != b.p[0])
			return (unsigned char)a.p[0] > (unsigned char)b.p[0] ? 1 : -1;
		a = str_from(a, 1);
		b = str_from(b, 1);
	}
	return (a.n > 0) - (b.n > 0);
}

static int descending(const void *a, const void *b)
{
	const struct lib *x = a, *y = b;
	int c = compare_names(y->name, x->name);
	return c ? c : (x->at > y->at) - (x->at < y->at);
}

static void put32(struct buf *b, bool big_endian, size_t n)
{
	for (unsigned i = 0; i < 4; i++)
		buf_addc(b, (char)(n >> 8 * (big_endian ? 3 - i : i)));
}

static void write_cache(const struct ldcache *c, bool big, struct buf *out)
{
	size_t texts = 0, at = HEADER + ENTRY * c->libs.n;
	for (size_t i = 0; i < c->libs.n; i++)
		texts += c->libs.v[i].path.n + 1;
	buf_adds(out, "glibc-ld.so.cache1.1");
	put32(out, big, c->libs.n);
	put32(out, big, texts);
	buf_addzero(out, HEADER - out->n);
	for (size_t i = 0; i < c->libs.n; i++) {
		const struct lib *l = &c->libs.v[i];
		put32(out, big, l->flags);
		put32(out, big, at + l->path.n - l->name.n);
		put32(out, big, at);
		buf_addzero(out, 12);
		at += l->path.n + 1;
	}
	for (size_t i = 0; i < c->libs.n; i++) {
		buf_addstr(out, c->libs.v[i].path);
		buf_addc(out, 0);
	}
	buf_addzero(out, 16 - out->n % 16);
}

static bool make(struct ldcache *c, bool big, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(MAX_CACHE);
	strs_push(&c->a, &c->dirs, S("/lib"));
	if (!read_conf(c, S("/etc/ld.so.conf"), 0, err))
		return false;
	for (size_t i = 0; i < c->dirs.n; i++)
		if (!scan(c, c->dirs.v[i], err))
			return false;
	if (c->libs.n)
		qsort(c->libs.v, c->libs.n, sizeof(*c->libs.v), descending);
	write_cache(c, big, &out);
	if (out.over)
		return err_set(
			err, EK_OTHER, "ld.so.cache would be longer than %u bytes", MAX_CACHE);
	return tree_put(c->t, S("etc/ld.so.cache"), buf_str(&out), 0644, err);
}

bool ldcache_write(struct tree *t, const struct apk_arch *arch, struct err *err)
{
	struct ldcache c = {.t = t};
	if (!tree_find(t, S("etc/ld.so.conf"), true))
		return true;
	arena_init(&c.a);
	bool ok = make(&c, str_is(str_of(arch->apk), "s390x"), err);
	arena_release(&c.a);
	return ok;
}
