#include "apko/build/graph.h"

#include "shared/base/map.h"
#include "shared/image/resolve.h"

struct attr {
	const char *key;
	struct str val;
};
/* A node when `to` is NULL, else an edge. */
struct item {
	struct str name;
	struct item *to;
	VEC(struct attr) attrs; /* sorted by key */
};
struct drawing {
	const struct graph_req *req;
	struct arena *a;
	struct map nodes;
	struct map wanted;  /* names that something depends on */
	struct map reached; /* names that an edge leads to, for the spanning tree */
	VEC(struct item *) items;
};

static struct item *node(struct drawing *d, struct str name)
{
	struct item *n = map_get(&d->nodes, name);
	if (n)
		return n;
	n = arena_new(d->a, struct item);
	n->name = name;
	(void)map_put(&d->nodes, name, n);
	vec_push(d->a, &d->items, n);
	return n;
}

static void edge(struct drawing *d, struct item *from, struct item *to)
{
	struct item *e = arena_new(d->a, struct item);
	e->name = from->name;
	e->to = to;
	vec_push(d->a, &d->items, e);
}

static void set(struct drawing *d, struct item *n, const char *key, struct str val)
{
	size_t at = 0;
	while (at < n->attrs.n && strcmp(n->attrs.v[at].key, key) < 0)
		at++;
	if (at == n->attrs.n || strcmp(n->attrs.v[at].key, key) != 0) {
		vec_push(d->a, &n->attrs, (struct attr){0});
		memmove(&n->attrs.v[at + 1], &n->attrs.v[at],
			(n->attrs.n - 1 - at) * sizeof(n->attrs.v[0]));
	}
	n->attrs.v[at] = (struct attr){key, val};
}

/* Drawing */

/* The part before '=', else before '~'; false when there is neither. */
static bool name_of(struct str atom, struct str *ret_name)
{
	struct str rest;
	return str_cut(atom, '=', ret_name, &rest) || str_cut(atom, '~', ret_name, &rest);
}

static void draw_wanted(struct drawing *d)
{
	struct item *file = node(d, str_of(d->req->config));
	for (size_t i = 0; i < d->req->packages->n; i++) {
		struct str atom = d->req->packages->v[i].s, name;
		struct item *n = node(d, atom);
		edge(d, file, n);
		if (name_of(atom, &name))
			edge(d, n, node(d, name));
		(void)map_put(&d->wanted, name, d);
	}
}

/* Where the explorer shows a package: the parts of its URL behind the host's name. */
static struct str explored(struct drawing *d, const struct apk_pkg *p)
{
	auto_buf struct buf out = BUF_INIT(64u << 10);
	struct str url = image_public_line(apk_pkg_url(p, d->a), d->a);
	buf_printf(&out, "https://%s/", d->req->explorer);
	for (size_t i = 0; i < url.n; i++) {
		char c = url.p[i] == ':' ? '/' : url.p[i];
		if (c != '/' || (out.n && out.p[out.n - 1] != '/'))
			buf_addc(&out, c);
	}
	return arena_str(d->a, buf_str(&out));
}

static struct item *draw_package(struct drawing *d, const struct apk_pkg *p)
{
	struct item *n = node(d, p->name);
	set(d, n, "label", apk_pkg_nv(p, d->a));
	set(d, n, "tooltip", p->desc);
	if (d->req->explorer) {
		set(d, n, "URL", explored(d, p));
		set(d, n, "target", S("_blank"));
	}
	return n;
}

static void draw_depends(struct drawing *d, const struct apk_pkg *p)
{
	struct item *n = draw_package(d, p);
	struct str rest = p->depends, word, name;
	while (str_word(&rest, &word)) {
		(void)name_of(word, &name);
		struct item *to = node(d, name);
		(void)map_put(&d->wanted, name, d);
		if (str_eq(name, p->name) || (d->req->spanning && map_has(&d->reached, name)))
			continue;
		edge(d, n, to);
		(void)map_put(&d->reached, name, d);
	}
}

/* Only what something depends on is drawn; in its own name or in that of its version. */
static void draw_provides(struct drawing *d, const struct apk_pkg *p)
{
	struct item *n = node(d, p->name);
	struct str rest = p->provides, word, name;
	while (str_word(&rest, &word)) {
		if (map_has(&d->wanted, word)) {
			if (d->req->spanning && map_has(&d->reached, p->name))
				continue;
			edge(d, node(d, word), n);
			(void)map_put(&d->reached, p->name, d);
		} else if (name_of(word, &name) && map_has(&d->wanted, name)) {
			set(d, node(d, name), "shape", S("rect"));
			edge(d, node(d, name), n);
		}
	}
}

static bool is_first(const struct drawing *d, const struct apk_pkg *p)
{
	return d->req->first && strs_has(d->req->first, p->name);
}

static void each(struct drawing *d, void (*draw)(struct drawing *d, const struct apk_pkg *p))
{
	const struct solve_result *s = d->req->set;
	for (int first = 1; first >= 0; first--)
		for (size_t i = 0; i < s->n; i++)
			if (is_first(d, s->pkgs[i]) == first)
				draw(d, s->pkgs[i]);
}

static void draw_failure(struct drawing *d)
{
	struct item *at = node(d, S("\xe2\x9d\x8c error"));
	struct str rest = str_of(d->req->failure), line;
	while (str_next(&rest, '\n', &line)) {
		struct item *n = node(d, str_trim(line));
		edge(d, at, n);
		at = n;
	}
}

/* Writing */

static bool is_plain(struct str s)
{
	static const char *const words[] = {
		"node", "edge", "graph", "digraph", "subgraph", "strict"};
	bool ok = s.n > 0 && !(s.p[0] >= '0' && s.p[0] <= '9');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		ok &= c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		      (c >= 'A' && c <= 'Z');
	}
	for (size_t i = 0; i < countof(words); i++)
		ok &= !str_is(s, words[i]);
	return ok;
}

static void quoted(struct buf *out, struct str s)
{
	if (is_plain(s)) {
		buf_addstr(out, s);
		return;
	}
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '"')
			buf_addc(out, '\\');
		if (c == '\n' || c == '\r')
			buf_adds(out, c == '\n' ? "\\n" : "\\r");
		else
			buf_addc(out, c);
	}
	buf_addc(out, '"');
}

static void write_item(struct buf *out, const struct item *n)
{
	quoted(out, n->name);
	if (n->to) {
		buf_adds(out, " -> ");
		quoted(out, n->to->name);
		buf_addc(out, '\n');
		return;
	}
	for (size_t i = 0; i < n->attrs.n; i++) {
		buf_printf(out, "%s%s=", i ? ", " : " [", n->attrs.v[i].key);
		quoted(out, n->attrs.v[i].val);
	}
	buf_adds(out, n->attrs.n ? "];\n" : ";\n");
}

void graph_write(const struct graph_req *req, struct arena *a, struct buf *out)
{
	struct drawing d = {.req = req, .a = a};
	map_init(&d.nodes, a);
	map_init(&d.wanted, a);
	map_init(&d.reached, a);
	draw_wanted(&d);
	each(&d, draw_depends);
	each(&d, draw_provides);
	if (req->failure)
		draw_failure(&d);
	buf_adds(out, "digraph images {\ngraph [\n  rankdir=LR;\n];\n");
	for (size_t i = 0; i < d.items.n; i++)
		write_item(out, d.items.v[i]);
	buf_adds(out, "}\n\n");
	map_release(&d.nodes);
	map_release(&d.wanted);
	map_release(&d.reached);
}
