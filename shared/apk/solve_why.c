#include "shared/apk/solve_search.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "shared/base/buf.h"
#include "shared/base/match.h"

/* Why there is no answer: the facts of the proof, as few as can be, told from the request down. */

#define MAX_SHRINK 300		/* facts; more are told as they are */
#define MAX_TEXT (64u << 10)
#define MAX_LINES 120
#define MAX_SHOWN 12		/* candidates rejected one by one */
#define MAX_INDENT 12

struct facts {
	const struct fact **v;
	size_t n, cap;
};

struct why {
	struct search *s;
	struct facts facts;
	struct buf *out;
	unsigned lines, depth;
	uint8_t *told;		/* per package */
	/* for the hint */
	const struct fact *missing;	/* a need that no package has a name for */
	const struct fact *unmet;	/* a need with candidates, none of which will do */
};

static uint32_t decide_any(struct sat *sat)
{
	for (size_t i = 0; i < sat->clauses.n; i++) {
		const struct clause *c = &sat->clauses.v[i];
		uint32_t open = NO_LIT;
		bool met = false;
		for (uint32_t k = 0; k < c->n && !met; k++) {
			int v = sat->value[VAR(c->lits[k])];
			met = c->lits[k] & 1 ? v < 0 : v > 0;
			if (!v && open == NO_LIT)
				open = c->lits[k];
		}
		if (!met)
			return open;
	}
	return NO_LIT;
}

/* The packages of the facts as variables 0, 1, ...; `num` has them + 1. */
static uint32_t small_numbers(const struct facts *f, uint32_t *num)
{
	uint32_t n = 0;
	for (size_t i = 0; i < f->n; i++)
		for (uint32_t k = 0; k < f->v[i]->n; k++)
			if (!num[VAR(f->v[i]->lits[k])])
				num[VAR(f->v[i]->lits[k])] = ++n;
	return n;
}

/* Whether the facts without number `skip` still contradict each other. */
static bool contradict(const struct facts *f, size_t skip, const uint32_t *num, uint32_t n_vars)
{
	auto_arena struct arena tmp = ARENA_INIT;
	struct sat sat;
	struct u32s lits = { 0 };
	sat_init(&sat, n_vars, &tmp);
	sat.decide = decide_any;
	sat.max_effort = 1000000;
	for (size_t i = 0; i < f->n; i++) {
		if (i == skip || !f->v[i])
			continue;
		lits.n = 0;
		for (uint32_t k = 0; k < f->v[i]->n; k++) {
			uint32_t lit = f->v[i]->lits[k];
			vec_push(&tmp, &lits, LIT(num[VAR(lit)] - 1) | (lit & 1));
		}
		(void)sat_add(&sat, lits.v, (uint32_t)lits.n, 0);
	}
	return sat_run(&sat, 0) == SAT_NO;
}

/* Leaves out whatever the contradiction can do without, the deepest facts first. */
static void shrink(struct why *w)
{
	auto_arena struct arena tmp = ARENA_INIT;
	struct facts *f = &w->facts;
	if (f->n > MAX_SHRINK)
		return;
	uint32_t *num = arena_array(&tmp, uint32_t, w->s->t->max_pkgs + 1);
	uint32_t n_vars = small_numbers(f, num);
	for (size_t i = f->n; i-- > 0;)
		if (contradict(f, i, num, n_vars))
			f->v[i] = NULL;
	size_t k = 0;
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i])
			f->v[k++] = f->v[i];
	f->n = k;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void line(struct why *w, const char *fmt, ...) printf_like(2, 3);
static void line(struct why *w, const char *fmt, ...)
{
	va_list ap;
	if (++w->lines > MAX_LINES) {
		if (w->lines == MAX_LINES + 1)
			buf_adds(w->out, "\n  ...");
		return;
	}
	unsigned depth = w->depth < MAX_INDENT ? w->depth : MAX_INDENT;
	char *text = NULL;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		BUG("out of memory");
	va_end(ap);
	buf_printf(w->out, "\n%*s%s", (int)(2 * depth), "", text);
	free(text);
}

static const char *file(struct why *w, uint32_t pkg)
{
	const struct apk_pkg *p = stab_p(w->s->t, pkg);
	return arena_printf(w->s->a, "%.*s-%.*s.apk", STR_ARG(p->name), STR_ARG(p->version));
}

/* " (REPOSITORY)", to tell where a package is from */
static const char *source(struct why *w, uint32_t pkg)
{
	const struct apk_index *idx = stab_p(w->s->t, pkg)->index;
	if (!idx || !idx->repo.n)
		return "";
	if (idx->tag.n)
		return arena_printf(w->s->a, " (@%.*s %.*s)", STR_ARG(idx->tag),
			STR_ARG(idx->repo));
	return arena_printf(w->s->a, " (%.*s)", STR_ARG(idx->repo));
}

static const char *who(struct why *w, uint32_t pkg)
{
	if (pkg == NO_ID)
		return "the request";
	const struct apk_pkg *p = stab_p(w->s->t, pkg);
	return arena_printf(w->s->a, "%.*s-%.*s", STR_ARG(p->name), STR_ARG(p->version));
}

const char *account_unfit(struct search *search, const struct fact *f, uint32_t pkg)
{
	struct stab *t = search->t;
	struct arena *a = search->a;
	const struct spkg *s = stab_pkg(t, pkg);
	const struct satoms *provides = stab_provides(t, pkg);
	struct str text = f->atom->text;
	if (s->out)
		return s->out;
	if (!smatch(t, f->atom, pkg)) {
		if (stab_own(t, pkg) == f->atom->name)
			return arena_printf(a, "\"%.*s\" does not satisfy \"%.*s\"",
				STR_ARG(s->version.text), STR_ARG(text));
		for (uint32_t i = 0; i < provides->n; i++)
			if (provides->v[i].name == f->atom->name)
				return arena_printf(a,
					"it provides \"%.*s\" which does not satisfy \"%.*s\"",
					STR_ARG(provides->v[i].text), STR_ARG(text));
	}
	struct str tag = stab_tag(t, pkg);
	if (!search_permitted(search, f->who, f->atom, pkg))
		return arena_printf(a, "it is masked in: @%.*s", STR_ARG(tag));
	return NULL;
}

/* What needs the package, of what was told or will be. */
static const struct fact *needed_by(struct why *w, uint32_t pkg, uint32_t not_by)
{
	for (size_t i = 0; i < w->facts.n; i++) {
		const struct fact *f = w->facts.v[i];
		if (f->kind != FACT_NEED || f->who == pkg || (f->who == not_by && not_by != NO_ID))
			continue;
		for (uint32_t k = 0; k < f->n; k++)
			if (f->lits[k] == LIT(pkg))
				return f;
	}
	return NULL;
}

static void tell_exclusion(struct why *w, const struct fact *f, uint32_t pkg)
{
	uint32_t other = f->who == pkg ? f->other : f->who;
	struct stab *t = w->s->t;
	struct str name = stab_name(t, f->name);
	const struct fact *by = needed_by(w, other, pkg);
	const char *wants = !by ? ""
				: arena_printf(w->s->a, ", needed for \"%.*s\" of %s",
					  STR_ARG(by->atom->text), who(w, by->who));
	if (by && stab_own(t, pkg) == stab_own(t, other) && !smatch(t, by->atom, pkg) &&
		by->atom->name == stab_own(t, pkg))
		line(w, "%s disqualified because \"%.*s\" does not satisfy \"%.*s\" of %s%s",
			file(w, pkg), STR_ARG(stab_p(t, pkg)->version), STR_ARG(by->atom->text),
			who(w, by->who), source(w, pkg));
	else
		line(w, "%s disqualified because %s already provides %.*s%s%s", file(w, pkg),
			file(w, other), STR_ARG(name), wants, source(w, pkg));
}

static void tell_need(struct why *w, const struct fact *f);

static bool concerns(const struct fact *f, uint32_t pkg)
{
	return f->kind != FACT_NEED && (f->other == pkg || f->who == pkg);
}

/* Why the package cannot be taken: what excludes it, or what it needs in vain. */
static void tell_package(struct why *w, uint32_t pkg)
{
	bool needs = false;
	if (w->told[pkg]) {
		line(w, "%s cannot be installed, as said above", file(w, pkg));
		return;
	}
	w->told[pkg] = 1;
	for (size_t i = 0; i < w->facts.n; i++) {
		const struct fact *f = w->facts.v[i];
		if (f->kind == FACT_CONFLICT && f->other == pkg)
			line(w, "%s disqualified because excluded by %.*s of %s%s", file(w, pkg),
				STR_ARG(f->atom->text), who(w, f->who), source(w, pkg));
		else if (f->kind == FACT_CONFLICT && f->who == pkg)
			line(w, "%s disqualified because it excludes %s by %.*s%s", file(w, pkg),
				file(w, f->other), STR_ARG(f->atom->text), source(w, pkg));
		else if (concerns(f, pkg))
			tell_exclusion(w, f, pkg);
		else if (f->kind == FACT_NEED && f->who == pkg)
			needs = true;
	}
	if (!needs)
		return;
	line(w, "resolving \"%s\" deps:%s", file(w, pkg), source(w, pkg));
	w->depth++;
	for (size_t i = 0; i < w->facts.n; i++)
		if (w->facts.v[i]->kind == FACT_NEED && w->facts.v[i]->who == pkg)
			tell_need(w, w->facts.v[i]);
	w->depth--;
}

static void tell_candidates(struct why *w, const struct fact *f)
{
	struct stab *t = w->s->t;
	uint32_t n, shown = 0, options = 0, skipped = 0, last = NO_ID;
	const struct cand *c = stab_cands(t, f->atom->name, &n);
	for (uint32_t i = 0; i < n; i++) {
		const char *why_not = account_unfit(w->s, f, c[i].pkg);
		if (c[i].pkg == last)
			continue;
		last = c[i].pkg;
		if (!why_not) {
			options++;
			tell_package(w, c[i].pkg);
		} else if (shown++ < MAX_SHOWN) {
			line(w, "%s disqualified because %s%s", file(w, c[i].pkg), why_not,
				source(w, c[i].pkg));
		} else {
			skipped++;
		}
	}
	if (skipped)
		line(w, "and %u more", skipped);
	if (!options && !w->unmet)
		w->unmet = f;
}

static void tell_need(struct why *w, const struct fact *f)
{
	uint32_t n;
	struct str text = f->atom->text;
	(void)stab_cands(w->s->t, f->atom->name, &n);
	if (!n) {
		if (!w->missing)
			w->missing = f;
		line(w, "solving \"%.*s\" constraint: nothing provides \"%.*s\", needed by %s: "
			"not in indexes",
			STR_ARG(text), STR_ARG(satom_name(w->s->t, f->atom)), who(w, f->who));
		return;
	}
	line(w, "solving \"%.*s\" constraint, needed by %s:", STR_ARG(text), who(w, f->who));
	w->depth++;
	tell_candidates(w, f);
	w->depth--;
}

struct nearest {
	struct str name, best;
	unsigned low;
};

static bool is_nearer(void *ctx, struct str s)
{
	struct nearest *k = ctx;
	if (s.n > k->name.n + k->low || k->name.n > s.n + k->low)
		return true;
	unsigned d = match_distance(k->name, s, k->low);
	if (d < k->low) {
		k->low = d;
		k->best = s;
	}
	return true;
}

/* The name most like what nothing provides. */
static struct str nearest_name(struct stab *t, struct str name)
{
	struct nearest k = { .name = name, .low = name.n < 6 ? 2 : 3 };
	stab_each_name(t, is_nearer, &k);
	return k.best;
}

static bool hint_missing(struct why *w, struct err *err)
{
	struct str near = nearest_name(w->s->t, satom_name(w->s->t, w->missing->atom));
	if (near.n)
		return err_hint(err, "did you mean '%.*s'?", STR_ARG(near));
	return err_hint(err, "check the name, or add the repository that has '%.*s'",
		STR_ARG(satom_name(w->s->t, w->missing->atom)));
}

/* Names what there is instead: the best candidate's tag or version. */
static bool hint_unmet(struct why *w, struct err *err)
{
	struct stab *t = w->s->t;
	const struct satom *atom = w->unmet->atom;
	uint32_t n;
	const struct cand *c = stab_cands(t, atom->name, &n);
	struct spref pref = { .t = t, .name = atom->name };
	uint32_t *list = arena_array(w->s->a, uint32_t, n);
	for (uint32_t i = 0; i < n; i++)
		list[i] = c[i].pkg;
	uint32_t best = spref_best(&pref, list, n);
	struct str tag = stab_tag(t, best);
	if (smatch(t, atom, best) && tag.n)
		return err_hint(err, "to use that repository ask for '%.*s@%.*s'",
			STR_ARG(satom_name(t, atom)), STR_ARG(tag));
	if (stab_pkg(t, best)->out)
		return err_hint(err, "'%s' cannot be used: %s", file(w, best),
			stab_pkg(t, best)->out);
	return err_hint(err, "'%.*s' of %s does not fit; the nearest there is is '%s'",
		STR_ARG(atom->text), who(w, w->unmet->who), file(w, best));
}

static void hint_changes(const struct account *k, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(4096);
	for (size_t i = 0; i < k->changes.n; i++) {
		const struct change *c = &k->changes.v[i];
		struct str text = c->atom->text;
		buf_adds(&out, i ? ", or " : "");
		if (c->kind == CHANGE_ADD)
			buf_printf(&out, "with '%.*s' as well", STR_ARG(text));
		else if (c->kind == CHANGE_RELAX)
			buf_printf(&out, "with '%.*s' instead of '%.*s'", STR_ARG(satom_name(k->s->t, c->atom)),
				STR_ARG(text));
		else
			buf_printf(&out, "without '%.*s'", STR_ARG(text));
	}
	if (k->changes.n)
		(void)err_hint(err, "%s in the request there is an answer", out.p);
}

void search_explain(struct search *s, const struct u32s *core, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(MAX_TEXT);
	struct why w = { .s = s, .out = &out, .depth = 1 };
	if (core->n)
		qsort(core->v, core->n, sizeof(*core->v), by_number);
	for (size_t i = 0; i < core->n; i++)
		if (!i || core->v[i] != core->v[i - 1])
			vec_push(s->a, &w.facts, &s->facts.v[core->v[i]]);
	shrink(&w);
	w.told = arena_array(s->a, uint8_t, s->t->max_pkgs + 1);
	for (size_t i = 0; i < w.facts.n; i++)
		if (w.facts.v[i]->who == NO_ID && w.facts.v[i]->kind == FACT_NEED)
			tell_need(&w, w.facts.v[i]);
	struct str text = buf_str(&out);
	struct account k = { .s = s, .facts = w.facts.v, .n = w.facts.n };
	account_changes(&k);
	(void)err_set(err, EK_CONFLICT, "unable to select packages:%.*s", STR_ARG(text));
	if (w.missing)
		(void)hint_missing(&w, err);
	else if (w.unmet)
		(void)hint_unmet(&w, err);
	hint_changes(&k, err);
	err_detail(err, account_json(&k));
}
