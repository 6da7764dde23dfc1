#include "melange/emit/info.h"

#include "melange/config/facts.h"

static struct str join_list(const struct strs *list, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(64u << 20);
	for (size_t i = 0; i < list->n; i++)
		buf_printf(&b, "%s%.*s", i ? " " : "", STR_ARG(list->v[i]));
	return arena_str(a, buf_str(&b));
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_control(s.p[i]))
			return true;
	return false;
}

/* A value for .PKGINFO: as written when it is one line, else folded to one and trimmed. */
static struct str one_line(struct str s, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	if (!has_control(s))
		return s;
	s = str_trim(s);
	for (size_t i = 0; i < s.n; i++) {
		if (!is_control(s.p[i]))
			buf_addc(&b, s.p[i]);
		else if (b.n && b.p[b.n - 1] != ' ')
			buf_addc(&b, ' ');
	}
	return arena_str(a, buf_str(&b));
}

static struct str triggers(const struct scriptlets *s, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	for (size_t i = 0; s && i < s->trigger.paths.n; i++)
		buf_printf(&b, "%.*s ", STR_ARG(s->trigger.paths.v[i].s));
	return arena_str(a, buf_str(&b));
}

static void fill_info(const struct emit_build *b, const struct emit_pkg *p,
	const struct scan_result *deps, const struct strs *replaces, struct arena *a,
	struct apk_pkg *info)
{
	const struct package *o = &b->conf->package;
	const struct subpackage *s = p->sub;
	const struct copyright *c = o->copyright.v;
	*info = (struct apk_pkg){
		.name = str_of(p->name),
		.version = package_full_version(&b->conf->package, a),
		.arch = str_of(b->arch),
		.desc = one_line(s ? s->description.s : o->description.s, a),
		.url = one_line(s ? s->url.s : o->url.s, a),
		.license = one_line(o->copyright.n ? c[0].license.s : STR_NONE, a),
		.origin = b->strip_origin_name ? str_of(p->name) : o->name.s,
		.maintainer = str_of(b->namespace_),
		.commit = one_line(s && s->commit.s.n ? s->commit.s : o->commit.s, a),
		.depends = join_list(&deps->runtime, a),
		.provides = join_list(&deps->provides, a),
		.replaces = join_list(replaces, a),
		.triggers = triggers(s ? s->scriptlets : o->scriptlets, a),
		.build_time = b->epoch,
	};
}

static struct str license_lines(const struct config *c, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	const struct copyright *list = c->package.copyright.v;
	for (size_t i = 0; i < c->package.copyright.n; i++)
		buf_printf(&b, "%.*s\n", STR_ARG(one_line(list[i].license.s, a)));
	return arena_str(a, buf_str(&b));
}

static struct strs plain_list(const struct ystrs *in, struct arena *a)
{
	struct strs out = { 0 };
	for (size_t i = 0; i < in->n; i++)
		strs_push(a, &out, in->v[i].s);
	return out;
}

void package_info(const struct emit_build *b, const struct emit_pkg *p,
	const struct scan_result *deps, struct arena *a, struct apk_pkg *ret_info,
	struct pkginfo_extra *ret_extra)
{
	const struct dependencies *d =
		p->sub ? &p->sub->dependencies : &b->conf->package.dependencies;
	struct strs *replaces = arena_new(a, struct strs);
	*replaces = plain_list(&d->replaces, a);
	fill_info(b, p, deps, replaces, a, ret_info);
	*ret_extra = (struct pkginfo_extra){
		.namespace_ = str_of(b->namespace_),
		.licenses = license_lines(b->conf, a),
		.vendored = join_list(&deps->vendored, a),
		.provider_priority = d->provider_priority.s.n ? &d->provider_priority.s : NULL,
		.replaces_priority = d->replaces_priority.s.n ? &d->replaces_priority.s : NULL,
		.depends = &deps->runtime,
		.provides = &deps->provides,
		.replaces = replaces,
	};
}
