#include "melange/config/validate.h"

#include "shared/apk/version.h"
#include "shared/base/log.h"
#include "shared/base/num.h"

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static struct pos pos_of(struct ystr s, const struct ynode *otherwise)
{
	if (s.at)
		return s.at->pos;
	return otherwise ? otherwise->pos : (struct pos){ 0 };
}

static void check_name(struct ystr name, const struct ynode *at, const char *what,
	struct diags *diags)
{
	bool ok = name.s.n && is_alnum(name.s.p[0]);
	for (size_t i = 0; i < name.s.n; i++) {
		char c = name.s.p[i];
		ok &= is_alnum(c) || c == '+' || c == '_' || c == '.' || c == '-';
	}
	if (name.s.n == 0)
		diags_add(diags, pos_of(name, at), "%s name must not be empty", what);
	else if (!ok)
		diags_add(diags, pos_of(name, at),
			"%s name must match regex \"^[a-zA-Z\\d][a-zA-Z\\d+_.-]*$\", found '%.*s'", what,
			STR_ARG(name.s));
}

static void check_priority(struct ystr p, const char *what, struct diags *diags)
{
	int64_t n;
	if (p.s.n && !num_i64(p.s, &n))
		diags_add(diags, pos_of(p, NULL), "%s must be an integer, found '%.*s'", what,
			STR_ARG(p.s));
}

static void check_priorities(const struct dependencies *d, struct diags *diags)
{
	check_priority(d->provider_priority, "provider-priority", diags);
	check_priority(d->replaces_priority, "replaces-priority", diags);
}

static void check_steps(const struct bind_list *list, struct diags *diags)
{
	const struct step *steps = list->v;
	for (size_t i = 0; i < list->n; i++) {
		const struct step *s = &steps[i];
		struct pos at = s->at ? s->at->pos : (struct pos){ 0 };
		if (s->with.n && !s->uses.s.n)
			diags_add(diags, at, "pipeline contains with but no uses");
		if (s->uses.s.n && s->runs.s.n)
			diags_add(diags, pos_of(s->uses, s->at),
				"pipeline cannot contain both uses '%.*s' and runs", STR_ARG(s->uses.s));
		if (s->uses.s.n && s->pipeline.n)
			log_warn("%s:%d: uses '%.*s' and pipeline in one step: uses is ignored",
				at.file ? at.file : "", at.line, STR_ARG(s->uses.s));
		check_steps(&s->pipeline, diags);
	}
}

static void check_setcap(const struct bind_list *list, struct diags *diags)
{
	static const char *const known[] = { "cap_net_bind_service", "cap_net_admin", "cap_net_raw",
		"cap_ipc_lock", "cap_sys_admin" };
	const struct setcap *caps = list->v;
	for (size_t i = 0; i < list->n; i++) {
		if (caps[i].path.s.n == 0)
			diags_add(diags, caps[i].at->pos, "setcap needs a path");
		if (caps[i].reason.s.n == 0)
			diags_add(diags, caps[i].at->pos, "setcap of '%.*s' needs a reason",
				STR_ARG(caps[i].path.s));
		for (size_t k = 0; k < caps[i].add.n; k++) {
			struct str rest = caps[i].add.v[k].key, name;
			while (str_next(&rest, ',', &name)) {
				bool ok = false;
				for (size_t j = 0; j < countof(known); j++)
					ok |= str_is(str_trim(name), known[j]);
				if (!ok)
					diags_add(diags, pos_of(caps[i].add.v[k].val, caps[i].at),
						"invalid capability '%.*s'", STR_ARG(name));
			}
			struct str value = caps[i].add.v[k].val.s;
			if (value.n && (value.p[0] == '+' || value.p[0] == '='))
				value = str_from(value, 1);
			bool letters = value.n > 0;
			for (size_t j = 0; j < value.n; j++)
				letters &= value.p[j] == 'e' || value.p[j] == 'i' || value.p[j] == 'p';
			if (!letters)
				diags_add(diags, pos_of(caps[i].add.v[k].val, caps[i].at),
					"capability sets are letters of e, i and p, found '%.*s'",
					STR_ARG(caps[i].add.v[k].val.s));
		}
	}
}

static void check_cpe(const struct package *p, struct diags *diags)
{
	const struct cpe *c = &p->cpe;
	const struct ystr *fields[] = { &c->vendor, &c->product, &c->edition, &c->language,
		&c->sw_edition, &c->target_sw, &c->target_hw, &c->other };
	struct pos at = p->at ? p->at->pos : (struct pos){ 0 };
	bool any = c->part.s.n > 0;
	for (size_t i = 0; i < countof(fields); i++) {
		struct str s = fields[i]->s;
		any |= s.n > 0;
		for (size_t k = 0; k < s.n; k++) {
			char ch = s.p[k];
			bool first = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
			if (!first && (k == 0 || !(ch == '+' || ch == '_' || ch == '.' || ch == '-'))) {
				diags_add(diags, pos_of(*fields[i], p->at),
					"cpe field must match regex \"^[a-z\\d][a-z\\d+_.-]*$\", found '%.*s'",
					STR_ARG(s));
				break;
			}
		}
	}
	if (c->part.s.n && !str_is(c->part.s, "a") && !str_is(c->part.s, "o"))
		diags_add(diags, pos_of(c->part, p->at), "cpe part must be 'a' or 'o', found '%.*s'",
			STR_ARG(c->part.s));
	if (any && (c->vendor.s.n == 0) != (c->product.s.n == 0))
		diags_add(diags, at, "cpe needs both vendor and product");
}

static void check_subpackages(const struct config *c, struct diags *diags)
{
	const struct subpackage *subs = c->subpackages.v;
	auto_arena struct arena a = ARENA_INIT;
	auto_map struct map names;
	map_init(&names, &a);
	(void)map_put(&names, c->package.name.s, (void *)c);
	for (size_t i = 0; i < c->subpackages.n; i++) {
		const struct subpackage *s = &subs[i];
		check_name(s->name, s->at, "subpackage", diags);
		if (map_put(&names, s->name.s, (void *)s))
			diags_add(diags, pos_of(s->name, s->at), "package name '%.*s' is used twice",
				STR_ARG(s->name.s));
		check_priorities(&s->dependencies, diags);
		check_steps(&s->pipeline, diags);
		check_setcap(&s->setcap, diags);
		if (s->test)
			check_steps(&s->test->pipeline, diags);
	}
}

void validate(const struct config *c, struct diags *diags)
{
	const struct package *p = &c->package;
	const struct ynode *at = p->at ? p->at : c->doc->root;
	check_name(p->name, at, "package", diags);
	if (p->version.s.n == 0)
		diags_add(diags, at->pos, "package version must not be empty");
	else if (!apk_version_valid(p->version.s))
		diags_add(diags, pos_of(p->version, at),
			"unable to parse version '%.*s'\nhint: write it as 1.2.3, with suffixes such as _rc1",
			STR_ARG(p->version.s));
	check_priorities(&p->dependencies, diags);
	check_steps(&c->pipeline, diags);
	check_setcap(&p->setcap, diags);
	check_subpackages(c, diags);
	if (c->test)
		check_steps(&c->test->pipeline, diags);
	check_cpe(p, diags);
}
