#include "melange/plan/compile.h"

#include <ctype.h>

#include "melange/config/cond.h"
#include "melange/config/pass.h"
#include "melange/plan/inputs.h"
#include "melange/plan/shell.h"
#include "melange/plan/uses.h"
#include "melange/plan/variables.h"
#include "shared/base/log.h"

#define MAX_NESTING 32

struct compiling {
	const struct config *in;
	const struct compile_opts *opts;
	struct arena *a;
	struct diags *diags;
	struct uses uses;
};

/* Where a step stands while it is compiled. */
struct place {
	const struct scope *scope;
	struct str dir;			/* inherited working-directory */
	unsigned depth;
	const struct place *parent;
	struct str uses;		/* definition being expanded; empty = none */
	bool skipped;			/* a parent's `if` is false */
};

static struct pos step_pos(const struct step *s)
{
	return s->at ? s->at->pos : (struct pos){ 0 };
}

static struct subst strict_in(struct compiling *c, const struct scope *scope)
{
	return (struct subst){ .scope = scope, .arena = c->a, .diags = c->diags,
		.mode = SUBST_STRICT };
}

static void lay_over(struct arena *a, struct ykvs *under, const struct ykvs *over)
{
	struct ykvs out = { 0 };
	for (size_t i = 0; i < under->n; i++)
		ykvs_set(a, &out, under->v[i].key, under->v[i].val);
	for (size_t i = 0; i < over->n; i++)
		ykvs_set(a, &out, over->v[i].key, over->v[i].val);
	*under = out;
}

/* A definition's keys over the step's; the step's own environment wins (4.2). */
static void merge_definition(const struct compiling *c, const struct definition *d, struct step *s)
{
	const struct step *def = &d->step;
	if (d->has_runs)
		s->runs = def->runs;
	if (d->has_dir)
		s->working_directory = def->working_directory;
	if (d->has_label)
		s->label = def->label;
	if (d->has_pipeline)
		s->pipeline = def->pipeline;
	if (d->has_needs)
		s->needs = def->needs;
	struct ykvs env = def->environment;
	lay_over(c->a, &env, &s->environment);
	s->environment = env;
	lay_over(c->a, &s->with, &def->with);
	s->inputs = def->inputs;
	s->definition = d->file;
}

static bool uses_itself(const struct place *p, struct str name)
{
	for (; p; p = p->parent)
		if (str_eq(p->uses, name))
			return true;
	return false;
}

/* "a -> b -> a", from the first that is part of it. */
static const char *chain(struct compiling *c, const struct place *p, struct str name)
{
	auto_buf struct buf b = BUF_INIT(4096);
	struct str names[MAX_NESTING + 2];
	size_t n = 0;
	for (; p && n < MAX_NESTING + 1; p = p->parent) {
		if (p->uses.n)
			names[n++] = p->uses;
		if (str_eq(p->uses, name))
			break;
	}
	while (n-- > 0)
		buf_printf(&b, "%.*s -> ", STR_ARG(str_sub(names[n], 0, 60)));
	buf_addstr(&b, str_sub(name, 0, 60));
	return arena_strndup(c->a, b.p, b.n);
}

static const struct definition *find_definition(struct compiling *c, const struct step *s,
	const struct place *p)
{
	if (s->uses.s.n == 0 || s->pipeline.n || s->runs.s.n)
		return NULL;
	struct pos at = s->uses.at ? s->uses.at->pos : step_pos(s);
	if (uses_itself(p, s->uses.s)) {
		diags_add(c->diags, at, "pipeline cycle: %s", chain(c, p, s->uses.s));
		return NULL;
	}
	if (p->depth >= MAX_NESTING) {
		diags_add(c->diags, at, "pipelines are nested more than %d deep: %s", MAX_NESTING,
			chain(c, p, s->uses.s));
		return NULL;
	}
	return uses_find(&c->uses, s->uses, c->diags);
}

/* Whether a condition holds (it does when it is broken, so that what it guards is checked); the
 * text becomes the one with its values, for printing. */
static bool decide(struct ystr *cond, const struct subst *strict)
{
	struct subst x = *strict;
	bool value = true;
	if (!cond_eval(strict, *cond, &value))
		return true;
	x.mode = SUBST_COND;
	*cond = subst(&x, *cond);
	return value;
}

static void strip_runs(struct compiling *c, struct step *s)
{
	struct shell_problem bad;
	struct str out;
	if (shell_strip(s->runs.s, c->a, &out, &bad)) {
		s->runs.s = out;
		return;
	}
	struct pos at = s->runs.at ? subst_pos(c->diags, s->runs, bad.at) : step_pos(s);
	diags_add(c->diags, at, "%s in this step's script", bad.what);
}

/* The script's inputs as shell variables INPUT_NAME, quoted, so that no value is shell text
 * unless the definition pastes it as such. */
static void add_prologue(struct compiling *c, struct step *s, const struct scope *scope,
	const struct bind_map *inputs)
{
	auto_buf struct buf b = BUF_INIT(4u << 20);
	for (size_t i = 0; i < inputs->n; i++) {
		auto_buf struct buf name = BUF_INIT(1024);
		buf_adds(&name, "INPUT_");
		for (size_t k = 0; k < inputs->v[i].key.n; k++) {
			int ch = toupper((unsigned char)inputs->v[i].key.p[k]);
			buf_addc(&name, (char)(isalnum(ch) ? ch : '_'));
		}
		if (!shell_uses_name(s->runs.s, buf_str(&name)))
			continue;
		const struct subst x = strict_in(c, scope);
		struct ystr token = { arena_strf(c->a, "${{inputs.%.*s}}",
			STR_ARG(inputs->v[i].key)), s->at };
		struct str value = subst(&x, token).s;
		buf_printf(&b, "%s='", name.p);
		for (size_t k = 0; k < value.n; k++) {
			if (value.p[k] == '\'')
				buf_adds(&b, "'\\''");
			else
				buf_addc(&b, value.p[k]);
		}
		buf_adds(&b, "'\n");
	}
	if (!b.n)
		return;
	s->runs.s = arena_join(c->a, buf_str(&b), s->runs.s);
	s->commented = arena_join(c->a, buf_str(&b), s->commented);
}

static struct bind_list compile_steps(struct compiling *c, const struct bind_list *in,
	const struct place *p, const struct bind_map *inputs);

/* The step's own `if` and its definition's must both hold. */
static void decide_step(struct step *s, const struct definition *d, const struct subst *outer,
	const struct subst *inner)
{
	bool run = s->if_.s.n == 0 || decide(&s->if_, outer);
	if (d && d->has_if) {
		struct ystr theirs = d->step.if_;
		run &= decide(&theirs, inner);
		if (s->if_.s.n == 0)
			s->if_ = theirs;
	}
	s->skipped = !run;
}

static void substitute_step(struct compiling *c, struct step *s, const struct place *p,
	const struct bind_map *inputs, const struct subst *x)
{
	bool script = s->runs.s.n;
	if (s->working_directory.s.n == 0)
		s->working_directory.s = p->dir;
	s->working_directory = subst(x, s->working_directory);
	subst_list(x, &s->needs.packages, &s->needs.packages);
	subst_kvs(x, &s->environment, &s->environment);
	if (inputs) {
		struct subst lenient = *x;
		lenient.mode = SUBST_TRY;
		s->name = subst(&lenient, s->name);
	}
	s->runs = subst(x, s->runs);
	s->commented = s->runs.s;
	strip_runs(c, s);
	if (inputs && script)
		add_prologue(c, s, x->scope, inputs);
	s->inputs = (struct bind_map){ 0 };
}

static void compile_inside(struct compiling *c, const struct step *in, const struct definition *d,
	const struct place *p, const struct bind_map *outer_inputs, struct step *s)
{
	const struct bind_map *inputs = d ? &d->step.inputs : s->inputs.n ? &s->inputs : outer_inputs;
	const struct bind_map kept = inputs ? *inputs : (struct bind_map){ 0 };
	struct scope scope;
	scope_init(&scope, p->scope, c->a);
	const struct subst outer = strict_in(c, p->scope), x = strict_in(c, &scope);
	inputs_resolve(s, d != NULL, &outer, &scope);
	decide_step(s, d, &outer, &x);
	substitute_step(c, s, p, inputs ? &kept : NULL, &x);
	const struct place inner = {
		.scope = &scope,
		.dir = s->working_directory.s,
		.depth = p->depth + 1,
		.parent = p,
		.uses = d ? in->uses.s : STR_NONE,
		.skipped = p->skipped || s->skipped,
	};
	s->pipeline = compile_steps(c, &s->pipeline, &inner, inputs ? &kept : NULL);
	scope_release(&scope);
}

static void compile_step(struct compiling *c, const struct step *in, const struct place *p,
	const struct bind_map *outer_inputs, struct step *out)
{
	struct step s = *in;
	struct pos from = s.uses.at ? s.uses.at->pos : step_pos(in);
	const struct diag_note note = {
		.text = arena_printf(c->a, "used from %s:%d:%d", from.file ? from.file : "",
			from.line, from.col),
		.of = from,
		.elsewhere = true,
		.up = c->diags->note,
	};
	if (in->uses.s.n)
		c->diags->note = &note;
	const struct definition *d = find_definition(c, in, p);
	if (d)
		merge_definition(c, d, &s);
	compile_inside(c, in, d, p, outer_inputs, &s);
	c->diags->note = note.up;
	*out = s;
}

static struct bind_list compile_steps(struct compiling *c, const struct bind_list *in,
	const struct place *p, const struct bind_map *inputs)
{
	const struct step *steps = in->v;
	const struct subst x = strict_in(c, p->scope);
	if (!subst_charge(&x, in->n * SUBST_STEP))
		return (struct bind_list){ 0 };
	struct step *out = arena_array(c->a, struct step, in->n ? in->n : 1);
	if (p->depth > MAX_NESTING) {
		if (in->n)
			diags_add(c->diags, step_pos(&steps[0]), "pipelines are nested more than %d deep",
				MAX_NESTING);
		return (struct bind_list){ 0 };
	}
	for (size_t i = 0; i < in->n; i++)
		compile_step(c, &steps[i], p, inputs, &out[i]);
	return (struct bind_list){ out, in->n };
}

/* Packages that steps need, parents first, in document order; a false step hides its own. They
 * are taken off top-level steps that run. */
static void gather_needs(const struct bind_list *list, struct arena *a, bool is_top,
	struct ystrs *ret)
{
	struct step *steps = list->v;
	for (size_t i = 0; i < list->n; i++) {
		struct step *s = &steps[i];
		if (s->skipped)
			continue;
		for (size_t k = 0; k < s->needs.packages.n; k++)
			vec_push(a, ret, s->needs.packages.v[k]);
		if (is_top)
			s->needs.packages = (struct ystrs){ 0 };
		gather_needs(&s->pipeline, a, false, ret);
	}
}

static struct test *compile_test(struct compiling *c, const struct test *in,
	const struct scope *scope, struct str package)
{
	if (!in)
		return NULL;
	struct test *t = arena_dup(c->a, in, sizeof(*in));
	const struct place p = { .scope = scope };
	struct ystrs packages = { 0 };
	for (size_t i = 0; i < in->environment.contents.packages.n; i++)
		vec_push(c->a, &packages, in->environment.contents.packages.v[i]);
	t->pipeline = compile_steps(c, &in->pipeline, &p, NULL);
	vec_push(c->a, &packages, (struct ystr){ package, NULL });
	gather_needs(&t->pipeline, c->a, true, &packages);
	ystrs_sort_unique(&packages);
	t->environment.contents.packages = packages;
	return t;
}

static void compile_subpackage(struct compiling *c, const struct subpackage *in,
	const struct scope *arch, struct subpackage *out)
{
	struct scope scope;
	scope_init(&scope, arch, c->a);
	variables_subpackage(&scope, in, c->a);
	const struct place p = { .scope = &scope };
	const struct subst x = strict_in(c, &scope);
	const struct diag_note note = { .text = in->range_note, .up = c->diags->note };
	if (in->range_note)
		c->diags->note = &note;
	*out = *in;
	/* printed as it came: what it depends on may differ when the file is read again */
	struct ystr cond = in->if_;
	if (cond.s.n)
		out->skipped = !decide(&cond, &x);
	out->pipeline = compile_steps(c, &in->pipeline, &p, NULL);
	out->test = compile_test(c, in->test, &scope, in->name.s);
	c->diags->note = note.up;
	scope_release(&scope);
}

static void compile_all(struct compiling *c, struct config *out)
{
	const struct config *in = c->in;
	struct scope arch, origin;
	scope_init(&arch, NULL, c->a);
	variables_arch(&arch, in, c->opts, c->a, c->diags);
	scope_init(&origin, &arch, c->a);
	variables_origin(&origin, in, c->a);
	const struct place p = { .scope = &origin };

	out->pipeline = compile_steps(c, &in->pipeline, &p, NULL);
	struct subpackage *subs =
		arena_array(c->a, struct subpackage, in->subpackages.n ? in->subpackages.n : 1);
	const struct subpackage *given = in->subpackages.v;
	for (size_t i = 0; i < in->subpackages.n; i++)
		compile_subpackage(c, &given[i], &arch, &subs[i]);
	out->subpackages.v = subs;

	struct ystrs packages = { 0 };
	for (size_t i = 0; i < in->environment.contents.packages.n; i++)
		vec_push(c->a, &packages, in->environment.contents.packages.v[i]);
	gather_needs(&out->pipeline, c->a, true, &packages);
	for (size_t i = 0; i < in->subpackages.n; i++) {
		struct ystrs none = { 0 };
		gather_needs(&subs[i].pipeline, c->a, true, subs[i].skipped ? &none : &packages);
	}
	out->environment.contents.packages = packages;
	struct str tested = c->opts->test_package ? str_of(c->opts->test_package)
		: in->package.name.s;
	out->test = compile_test(c, in->test, &origin, tested);
	scope_release(&origin);
	scope_release(&arch);
}

bool config_compile(const struct config *conf, const struct compile_opts *opts, struct arena *a,
	struct config *ret, struct err *err)
{
	struct diags diags;
	struct compiling c = { .in = conf, .opts = opts, .a = a, .diags = &diags };
	diags_init(&diags, a, conf->doc);
	uses_init(&c.uses, &opts->pipeline_dirs, a);
	struct config out = *conf;
	imgconf_copy(&conf->environment, a, &out.environment);
	compile_all(&c, &out);
	uses_release(&c.uses);
	if (!diags_ok(&diags, err))
		return false;
	*ret = out;
	return true;
}

bool config_arch_wanted(const struct config *c, const struct apk_arch *arch)
{
	const struct ystrs *list = &c->package.target_architecture;
	if (list->n == 1 && str_is(list->v[0].s, "all")) {
		log_warn("target-architecture: ['all'] is deprecated; leave it out");
		return true;
	}
	for (size_t i = 0; i < list->n; i++)
		if (apk_arch_find(list->v[i].s) == arch)
			return true;
	return list->n == 0;
}
