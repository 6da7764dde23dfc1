#include "melange/license/licfix.h"

#include <ctype.h>

#define MAX_TEXT (4u << 20)

static bool is_flow(struct str src, const struct ynode *n)
{
	return n->off < src.n && (src.p[n->off] == '[' || src.p[n->off] == '{');
}

/* Last byte of a node's own text: a block ends only where the next thing begins. */
static size_t last_byte(struct str src, const struct ynode *n)
{
	if (n->n == 0 || is_flow(src, n) || (n->kind != YN_MAP && n->kind != YN_SEQ))
		return n->end > n->off ? n->end - 1 : n->off;
	return last_byte(src, n->kind == YN_SEQ ? n->items[n->n - 1] : n->pairs[n->n - 1].val);
}

/* A comment of a line, from its '#'; empty without one. */
static struct str comment_of(struct str line)
{
	char quote = 0;
	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];
		if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '#' && (i == 0 || isspace((unsigned char)line.p[i - 1])))
			return str_trim(str_from(line, i));
	}
	return STR_NONE;
}

static void keep_comments(struct str lines, struct str indent, struct buf *out)
{
	while (lines.n) {
		size_t n = str_line_end(lines, 0);
		struct str comment = comment_of(str_sub(lines, 0, n));
		if (comment.n)
			buf_printf(out, "%.*s  %.*s\n", STR_ARG(indent), STR_ARG(comment));
		lines = str_from(lines, n);
	}
}

static void add_value(struct buf *out, struct str s)
{
	bool plain = s.n && isalnum((unsigned char)s.p[0]);
	for (size_t i = 0; i < s.n; i++)
		plain &= isalnum((unsigned char)s.p[i]) || str_chr(S("._/+-"), s.p[i]) >= 0;
	if (plain) {
		buf_addstr(out, s);
		return;
	}
	buf_addc(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		buf_addc(out, s.p[i]);
		if (s.p[i] == '\'')
			buf_addc(out, '\'');
	}
	buf_addc(out, '\'');
}

static void add_flat(const struct lic_report *r, struct str indent, struct buf *out)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].match.confidence < LIC_SURE)
			continue;
		buf_printf(out, "%.*s  - license: %s\n%.*s    license-path: ", STR_ARG(indent),
			r->v[i].match.id, STR_ARG(indent));
		add_value(out, r->v[i].path);
		buf_addc(out, '\n');
	}
}

static void add_simple(const struct lic_report *r, struct str indent, struct arena *a,
	struct buf *out)
{
	struct strs ids = { 0 };
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].match.confidence >= LIC_SURE)
			strs_push(a, &ids, str_of(r->v[i].match.id));
	strs_sort(&ids);
	strs_uniq(&ids);
	buf_printf(out, "%.*s  - license: ", STR_ARG(indent));
	for (size_t i = 0; i < ids.n; i++)
		buf_printf(out, "%s%.*s", i ? " AND " : "", STR_ARG(ids.v[i]));
	buf_addc(out, '\n');
}

bool license_fix(const struct ydoc *doc, const struct lic_report *r, enum lic_format format,
	struct arena *a, struct yedits *ret, struct err *err)
{
	const struct ynode *pkg = ynode_get(doc->root, "package");
	const struct ynode *key = ynode_key(pkg, S("copyright")), *old = ynode_get(pkg, "copyright");
	auto_buf struct buf out = BUF_INIT(MAX_TEXT);
	struct str src = doc->src;
	if (is_flow(src, pkg))
		return err_at(err, pkg->pos, "the package is a flow map, so its copyright cannot be "
			"changed in place\nhint: write each key of 'package' on a line of its own");
	const struct ynode *first = pkg->pairs[0].key;
	struct str indent = str_sub(src, str_line_start(src, first->off),
		first->off - str_line_start(src, first->off));
	size_t from = key ? str_line_start(src, key->off) : str_line_end(src, last_byte(src, pkg));
	size_t to = key ? str_line_end(src, last_byte(src, old)) : from;
	if (from > 0 && src.p[from - 1] != '\n')
		buf_addc(&out, '\n');
	buf_printf(&out, "%.*scopyright:\n", STR_ARG(indent));
	keep_comments(str_sub(src, from, to - from), indent, &out);
	if (format == LIC_FLAT)
		add_flat(r, indent, &out);
	else
		add_simple(r, indent, a, &out);
	yedit_lines(ret, from, to, buf_str(&out), a);
	return true;
}
