#include "shared/apk/tests/solve_cases.h"

#include <string.h>
#include "shared/apk/index.h"
#include "shared/base/buf.h"
#include "shared/base/num.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

#define MAX_FILE (16u << 20)

struct pkgs {
	struct apk_pkg *v;
	size_t n, cap;
};

struct state {
	struct str name, version, tag;
	bool gone;
};
struct states {
	struct state *v;
	size_t n, cap;
};

struct solve_case {
	struct arena *a;
	struct str dir, why;
	struct apk_indexes repos;
	struct pkgs installed;
	struct strs world, args;
	struct str verb, expect, virtual_pkg;
	bool has_installed, has_world, no_network, upgrade, available, broken_world, skip;
	struct states want;	/* the set that must result */
	struct strs steps;	/* name=version of what is installed or changed, in order */
};

static bool skip(struct solve_case *c, const char *what, struct str value)
{
	c->skip = true;
	c->why = arena_strf(c->a, "%s '%.*s'", what, STR_ARG(value));
	return false;
}

static bool wrong(struct solve_case *c, const char *what, struct str value)
{
	c->why = arena_strf(c->a, "%s: %.*s", what, STR_ARG(value));
	return false;
}

static bool read_text(struct solve_case *c, struct str path, struct str *ret)
{
	auto_buf struct buf b = BUF_INIT(MAX_FILE);
	auto_err struct err err = ERR_INIT;
	if (!file_read(arena_strndup(c->a, path.p, path.n), &b, &err))
		return wrong(c, "cannot run", arena_str(c->a, str_of(err.msg)));
	*ret = arena_str(c->a, buf_str(&b));
	return true;
}

static void append(struct arena *a, struct str *list, struct str more)
{
	*list = list->n ? arena_strf(a, "%.*s %.*s", STR_ARG(*list), STR_ARG(more)) : more;
}

static const struct apk_index *tagged(struct arena *a, struct str tag)
{
	struct apk_index *idx = arena_new(a, struct apk_index);
	*idx = (struct apk_index){ .repo = S("installed"), .tag = tag };
	return idx;
}

/* Checksums in these files are often made up: one that cannot be read counts as none. */
static void record_line(struct arena *a, struct apk_pkg *p, char letter, struct str v)
{
	int64_t n;
	switch (letter) {
	case 'C':
		if (!apk_q_parse(v, p->checksum, &p->checksum_n))
			p->checksum_n = 0;
		break;
	case 'P':
		p->name = v;
		break;
	case 'V':
		p->version = v;
		break;
	case 'A':
		p->arch = v;
		break;
	case 's': /* installed databases: the repository's tag */
		p->index = tagged(a, v);
		break;
	case 'o':
		p->origin = v;
		break;
	case 'D':
		append(a, &p->depends, v);
		break;
	case 'p':
		append(a, &p->provides, v);
		break;
	case 'i':
		append(a, &p->install_if, v);
		break;
	case 'k':
		if (num_i64(v, &n))
			p->provider_priority = n;
		break;
	default:
		break;
	}
}

static void end_record(struct arena *a, struct pkgs *out, struct apk_pkg *p)
{
	if (p->name.n) {
		if (p->arch.n && !str_is(p->arch, "x86_64") && !str_is(p->arch, "noarch"))
			p->unusable = arena_printf(a, "it is uninstallable: arch: %.*s",
				STR_ARG(p->arch));
		p->order = (uint32_t)out->n;
		vec_push(a, out, *p);
	}
	*p = (struct apk_pkg){ 0 };
}

static bool read_records(struct solve_case *c, struct str file, struct pkgs *out)
{
	struct str text, line;
	struct apk_pkg p = { 0 };
	if (!read_text(c, path_join(c->a, c->dir, file), &text))
		return false;
	while (str_next(&text, '\n', &line)) {
		if (line.n > 2 && line.p[1] == ':')
			record_line(c->a, &p, line.p[0], str_from(line, 2));
		else if (!line.n)
			end_record(c->a, out, &p);
	}
	end_record(c->a, out, &p);
	return true;
}

static bool add_repo(struct solve_case *c, struct str words)
{
	struct str tag = STR_NONE, file;
	struct pkgs pkgs = { 0 };
	if (!str_word(&words, &file))
		return wrong(c, "cannot run", S("no file after @REPO"));
	if (str_skip(&file, S("@"))) {
		tag = file;
		if (!str_word(&words, &file))
			return wrong(c, "cannot run", S("no file after the tag"));
	}
	struct apk_index *idx = arena_new(c->a, struct apk_index);
	if (!read_records(c, file, &pkgs))
		return false;
	*idx = (struct apk_index){ .repo = file, .base = file, .arch = S("x86_64"), .tag = tag,
		.pkgs = pkgs.v, .n = pkgs.n };
	for (size_t i = 0; i < pkgs.n; i++)
		pkgs.v[i].index = idx;
	vec_push(c->a, &c->repos, idx);
	return true;
}

static void add_words(struct arena *a, struct strs *list, struct str words)
{
	struct str w;
	while (str_word(&words, &w))
		strs_push(a, list, w);
}

static bool option(struct solve_case *c, struct str w, struct str *rest)
{
	static const char *const harmless[] = { "-v", "-q", "--root-tmpfs=yes", "--root-tmpfs=no",
		"--no-cache" };
	for (size_t i = 0; i < countof(harmless); i++)
		if (str_is(w, harmless[i]))
			return true;
	if (str_is(w, "--no-network"))
		return c->no_network = true;
	if (str_is(w, "--force-broken-world"))
		return c->broken_world = true;
	if (str_is(w, "--upgrade") || str_is(w, "-u"))
		return c->upgrade = true;
	if (str_is(w, "--available") || str_is(w, "-a"))
		return c->available = true;
	if (str_is(w, "-t") || str_is(w, "--virtual"))
		return str_word(rest, &c->virtual_pkg);
	return skip(c, "option", w);
}

static bool read_args(struct solve_case *c, struct str words)
{
	struct str w;
	while (str_word(&words, &w)) {
		if (w.p[0] == '-') {
			if (!option(c, w, &words))
				return false;
		} else if (!c->verb.n) {
			c->verb = w;
		} else {
			strs_push(c->a, &c->args, w);
		}
	}
	if (!str_is(c->verb, "add") && !str_is(c->verb, "del") && !str_is(c->verb, "upgrade"))
		return skip(c, "not a matter of choosing packages:", c->verb);
	return true;
}

static bool read_line(struct solve_case *c, struct str line)
{
	struct str rest = line, word;
	if (!str_word(&rest, &word) || word.p[0] != '@')
		return line.n ? wrong(c, "cannot run: what is", line) : true;
	if (str_is(word, "@ARGS"))
		return read_args(c, rest);
	if (str_is(word, "@REPO"))
		return c->no_network || add_repo(c, rest);
	if (str_is(word, "@CACHE"))
		return add_repo(c, rest);
	if (str_is(word, "@INSTALLED")) {
		c->has_installed = true;
		return str_word(&rest, &word) && read_records(c, word, &c->installed);
	}
	if (str_is(word, "@WORLD")) {
		c->has_world = true;
		add_words(c->a, &c->world, rest);
		return true;
	}
	return skip(c, "directive", word);
}

static bool read_case(struct solve_case *c, const char *path)
{
	struct str text, line;
	if (!read_text(c, str_of(path), &text))
		return false;
	c->dir = path_dir(str_of(path));
	while (str_next(&text, '\n', &line)) {
		if (str_is(line, "@EXPECT")) {
			c->expect = text;
			return true;
		}
		if (!read_line(c, line))
			return false;
	}
	return wrong(c, "cannot run", S("no @EXPECT"));
}

/* name of an atom, without '!', tag and version */
static struct str atom_name(struct str atom)
{
	size_t n = 0;
	(void)str_skip(&atom, S("!"));
	while (n < atom.n && !memchr("<>=~@", atom.p[n], 5))
		n++;
	return str_sub(atom, 0, n);
}

static void drop_name(struct strs *list, struct str name)
{
	size_t k = 0;
	for (size_t i = 0; i < list->n; i++)
		if (!str_eq(atom_name(list->v[i]), name))
			list->v[k++] = list->v[i];
	list->n = k;
}

static struct state *find_state(struct states *list, struct str name)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i].name, name))
			return &list->v[i];
	return NULL;
}

static void put_state(struct solve_case *c, struct str name, struct str version, bool gone)
{
	struct state s = { .name = name, .version = version, .gone = gone };
	str_cut(name, '@', &s.name, &s.tag);
	struct state *old = find_state(&c->want, s.name);
	if (old)
		*old = s;
	else
		vec_push(c->a, &c->want, s);
	if (!gone)
		strs_push(c->a, &c->steps, arena_strf(c->a, "%.*s=%.*s", STR_ARG(s.name),
						   STR_ARG(s.version)));
}

/* "(1/2) Upgrading b (1 -> 2)"; other lines say nothing about packages. */
static void expect_line(struct solve_case *c, struct str line)
{
	struct str word, verb, name, version;
	if (!str_starts(line, S("(")) || !str_word(&line, &word) || !str_word(&line, &verb))
		return;
	if (str_is(verb, "Updating")) /* pinning */
		(void)str_word(&line, &word);
	if (!str_word(&line, &name) || !str_word(&line, &version))
		return;
	struct str last = version;
	while (str_word(&line, &word))
		last = word;
	(void)str_skip(&last, S("("));
	(void)str_chop(&last, S(")"));
	put_state(c, name, last, str_is(verb, "Purging"));
}

static void read_expectation(struct solve_case *c)
{
	struct str text = c->expect, line;
	for (size_t i = 0; i < c->installed.n; i++)
		put_state(c, c->installed.v[i].name, c->installed.v[i].version, false);
	c->steps.n = 0;
	while (str_next(&text, '\n', &line))
		expect_line(c, line);
}

static bool in_args(const struct solve_case *c, struct str name)
{
	for (size_t i = 0; i < c->args.n; i++)
		if (str_eq(atom_name(c->args.v[i]), name))
			return true;
	return false;
}

/* What `add -t NAME ATOMS` makes: a package that needs the atoms. */
static bool add_virtual(struct solve_case *c)
{
	struct apk_pkg *p = arena_new(c->a, struct apk_pkg);
	struct str version;
	if (!str_cut(c->virtual_pkg, '=', &p->name, &version))
		version = S("0");
	p->version = version;
	if (!apk_version_valid(version) || atom_name(p->name).n != p->name.n)
		return false;
	for (size_t i = 0; i < c->args.n; i++)
		append(c->a, &p->depends, c->args.v[i]);
	struct apk_index *idx = arena_new(c->a, struct apk_index);
	*idx = (struct apk_index){ .repo = S("virtual"), .base = S("virtual"), .pkgs = p, .n = 1 };
	p->index = idx;
	vec_push(c->a, &c->repos, idx);
	drop_name(&c->world, p->name);
	strs_push(c->a, &c->world, c->virtual_pkg);
	return true;
}

static bool make_world(struct solve_case *c, struct err *err)
{
	if (str_is(c->verb, "add") && c->virtual_pkg.n)
		return add_virtual(c) || err_set(err, EK_PARSE, "'%.*s': bad package specifier",
						 STR_ARG(c->virtual_pkg));
	for (size_t i = 0; i < c->args.n && !str_is(c->verb, "upgrade"); i++)
		drop_name(&c->world, atom_name(c->args.v[i]));
	for (size_t i = 0; i < c->args.n && str_is(c->verb, "add"); i++)
		strs_push(c->a, &c->world, c->args.v[i]);
	return true;
}

/* Which installed packages are to be kept where they satisfy. */
static void make_installed(struct solve_case *c, struct solve_req *req)
{
	const struct apk_pkg **keep = arena_array(c->a, const struct apk_pkg *,
		c->installed.n + 1);
	struct apk_index *rest = arena_new(c->a, struct apk_index);
	rest->repo = rest->base = S("installed");
	rest->pkgs = arena_array(c->a, struct apk_pkg, c->installed.n + 1);
	bool all = str_is(c->verb, "upgrade") && !c->args.n;
	for (size_t i = 0; i < c->installed.n; i++) {
		struct apk_pkg *p = &c->installed.v[i];
		bool change = c->upgrade || str_is(c->verb, "upgrade");
		if (!change || !(all || in_args(c, p->name)))
			keep[req->n_installed++] = p;
		else if (!c->available)
			rest->pkgs[rest->n++] = *p;
	}
	for (size_t i = 0; i < rest->n; i++)
		rest->pkgs[i].index = rest;
	if (rest->n)
		vec_push(c->a, &c->repos, rest);
	req->installed = keep;
}

static bool solve_broken_world(struct solve_case *c, struct solve_req *req,
	struct solve_result *ret, struct err *err)
{
	struct strs kept = { 0 };
	for (size_t i = 0; i < c->world.n; i++) {
		auto_err struct err ignored = ERR_INIT;
		struct strs more = { 0 };
		for (size_t k = 0; k < kept.n; k++)
			strs_push(c->a, &more, kept.v[k]);
		strs_push(c->a, &more, c->world.v[i]);
		req->world = &more;
		if (solve(req, c->a, ret, &ignored))
			kept = more;
	}
	req->world = &kept;
	return solve(req, c->a, ret, err);
}

static struct str describe(struct solve_case *c, const struct solve_result *r)
{
	struct buf b = BUF_INIT(1u << 16);
	for (size_t i = 0; i < r->n; i++)
		buf_printf(&b, "%s%.*s=%.*s", i ? " " : "", STR_ARG(r->pkgs[i]->name),
			STR_ARG(r->pkgs[i]->version));
	struct str s = arena_str(c->a, buf_str(&b));
	buf_release(&b);
	return s;
}

static bool tag_ok(const struct state *s, const struct apk_pkg *p)
{
	return !s->tag.n || (p->index && str_eq(p->index->tag, s->tag));
}

static bool same_set(struct solve_case *c, const struct solve_result *r)
{
	size_t n = 0;
	for (size_t i = 0; i < c->want.n; i++)
		n += !c->want.v[i].gone;
	if (n != r->n)
		return false;
	for (size_t i = 0; i < r->n; i++) {
		const struct state *s = find_state(&c->want, r->pkgs[i]->name);
		if (!s || s->gone || !str_eq(s->version, r->pkgs[i]->version) ||
			!tag_ok(s, r->pkgs[i]))
			return false;
	}
	return true;
}

static bool same_order(struct solve_case *c, const struct solve_result *r)
{
	size_t at = 0;
	for (size_t i = 0; i < r->n && at < c->steps.n; i++)
		if (str_eq(c->steps.v[at], arena_strf(c->a, "%.*s=%.*s", STR_ARG(r->pkgs[i]->name),
						   STR_ARG(r->pkgs[i]->version))))
			at++;
	return at == c->steps.n;
}

static bool says(const struct err *err, struct str what)
{
	return str_find(str_of(err->msg), what) >= 0;
}

/* Every "X[atom]" of the rest of a line: the atom, or with `whole` the X. */
static bool says_items(const struct err *err, struct str items, bool who)
{
	struct str item;
	while (str_word(&items, &item)) {
		struct str before, atom;
		if (!str_cut(item, '[', &before, &atom))
			continue;
		(void)str_chop(&atom, S("]"));
		if (!says(err, who ? before : atom))
			return false;
	}
	return true;
}

/* A line within a block of apk's account: whether ours gives that reason, too. */
static bool same_reason_line(const struct err *err, struct str line, struct str block)
{
	struct str rest = str_trim(line);
	if (str_skip(&rest, S("masked in:")))
		return says(err, block) && says(err, str_trim(rest));
	if (str_skip(&rest, S("breaks:")))
		return says(err, block) && says_items(err, rest, false);
	if (str_skip(&rest, S("conflicts:")))
		return says(err, block) && says_items(err, rest, true);
	if (str_is(rest, "error: uninstallable"))
		return says(err, block) && says(err, S("uninstallable"));
	return !str_starts(rest, S("note: please select"));
}

/* Our account is as short as can be: it has to agree with one of apk's blocks. */
static bool same_block(struct solve_case *c, const struct err *err, struct str text)
{
	struct str line, block = STR_NONE, rest;
	bool agrees = false;
	while (str_next(&text, '\n', &line)) {
		if (!str_starts(line, S("  ")))
			continue;
		if (str_starts(line, S("   "))) {
			agrees = agrees && same_reason_line(err, line, block);
			continue;
		}
		if (agrees)
			return true;
		(void)str_cut(str_trim(line), ' ', &block, &rest);
		(void)str_chop(&block, S(":"));
		agrees = !str_is(rest, "(no such package):") ||
			 says(err, arena_strf(c->a, "nothing provides \"%.*s\"", STR_ARG(block)));
	}
	return agrees;
}

/* "'ATOM' is not a valid ..." and the like: ours must quote it and say so. */
static bool same_invalid(const struct err *err, struct str text)
{
	struct str atom, rest;
	(void)str_skip(&text, S("'"));
	(void)str_cut(text, ' ', &atom, &rest);
	while (atom.n && strchr("':", atom.p[atom.n - 1]))
		atom.n--;
	return says(err, atom) && (err->kind == EK_PARSE || says(err, S("is not a valid")));
}

static bool same_reason(struct solve_case *c, const struct err *err)
{
	struct str text = str_from(c->expect, (size_t)str_find(c->expect, S("ERROR: ")) + 7);
	return str_starts(text, S("unable to select")) ? same_block(c, err, text)
						       : same_invalid(err, text);
}

static bool judge(struct solve_case *c, bool ok, const struct solve_result *r,
	const struct err *err)
{
	bool want_error = str_find(c->expect, S("ERROR: ")) >= 0;
	if (want_error)
		return ok ? wrong(c, "solved, but an error is expected", describe(c, r))
			  : same_reason(c, err) ||
				    wrong(c, "refused for another reason",
					    arena_str(c->a, str_of(err->msg)));
	if (!ok)
		return wrong(c, "refused", arena_str(c->a, str_of(err->msg)));
	read_expectation(c);
	if (!same_set(c, r))
		return wrong(c, "another set", describe(c, r));
	return same_order(c, r) || wrong(c, "another order", describe(c, r));
}

static bool run(struct solve_case *c)
{
	auto_err struct err err = ERR_INIT;
	struct solve_req req = { .indexes = &c->repos, .world = &c->world };
	struct solve_result r = { 0 };
	bool ok = make_world(c, &err);
	if (ok) {
		make_installed(c, &req);
		ok = c->broken_world ? solve_broken_world(c, &req, &r, &err)
				     : solve(&req, c->a, &r, &err);
	}
	if (ok && !c->broken_world && !solve_check(&req, &r, &err))
		return wrong(c, "unsound", arena_str(c->a, str_of(err.msg)));
	return judge(c, ok, &r, &err);
}

enum case_verdict solve_case_run(const char *path, struct arena *a, struct str *ret_why)
{
	struct solve_case c = { .a = a };
	bool ok = read_case(&c, path) && run(&c);
	*ret_why = c.why;
	return ok ? CASE_PASSED : c.skip ? CASE_SKIPPED : CASE_FAILED;
}
