#include "shared/apk/solve_sat.h"

#include <string.h>

void sat_init(struct sat *s, uint32_t n_vars, struct arena *a)
{
	*s = (struct sat){ .a = a, .max_effort = SIZE_MAX };
	s->value = arena_array(a, int8_t, n_vars + 1);
	s->level = arena_array(a, uint32_t, n_vars + 1);
	s->reason = arena_array(a, uint32_t, n_vars + 1);
	s->seen = arena_array(a, uint8_t, n_vars + 1);
	s->expanded = arena_array(a, uint8_t, n_vars + 1);
	s->watching = arena_array(a, uint32_t, 2 * (size_t)n_vars + 2);
}

static int value_of(const struct sat *s, uint32_t lit)
{
	int v = s->value[VAR(lit)];
	return lit & 1 ? -v : v;
}

static uint32_t level_now(const struct sat *s)
{
	return (uint32_t)s->levels.n;
}

static void assign(struct sat *s, uint32_t lit, uint32_t reason)
{
	uint32_t var = VAR(lit);
	s->value[var] = lit & 1 ? -1 : 1;
	s->level[var] = level_now(s);
	s->reason[var] = reason;
	vec_push(s->a, &s->trail, lit);
}

void sat_back(struct sat *s, uint32_t level)
{
	if (level >= level_now(s))
		return;
	size_t n = s->levels.v[level];
	while (s->trail.n > n)
		s->value[VAR(s->trail.v[--s->trail.n])] = 0;
	s->levels.n = level;
	s->head = n;
}

static void watch(struct sat *s, uint32_t lit, uint32_t clause)
{
	struct watch w = { clause, s->watching[lit] };
	vec_push(s->a, &s->watches, w);
	s->watching[lit] = (uint32_t)s->watches.n;
}

/* How good a literal is to watch: not false, else false for as short as can be. */
static uint32_t worth(const struct sat *s, uint32_t lit)
{
	return value_of(s, lit) < 0 ? s->level[VAR(lit)] : UINT32_MAX;
}

static void to_front(const struct sat *s, struct clause *c, uint32_t at)
{
	uint32_t best = at;
	for (uint32_t i = at + 1; i < c->n; i++)
		if (worth(s, c->lits[i]) > worth(s, c->lits[best]))
			best = i;
	uint32_t lit = c->lits[at];
	c->lits[at] = c->lits[best];
	c->lits[best] = lit;
}

static uint32_t attach(struct sat *s, struct clause c)
{
	uint32_t id = (uint32_t)s->clauses.n;
	for (uint32_t i = 0; i < 2 && i < c.n; i++)
		to_front(s, &c, i);
	vec_push(s->a, &s->clauses, c);
	for (uint32_t i = 0; i < 2 && i < c.n; i++)
		watch(s, c.lits[i], id);
	int first = c.n ? value_of(s, c.lits[0]) : -1;
	bool alone = c.n < 2 || value_of(s, c.lits[1]) < 0;
	if (first < 0 && !s->conflict)
		s->conflict = id + 1;
	else if (!first && alone)
		assign(s, c.lits[0], id + 1);
	return id;
}

uint32_t sat_add(struct sat *s, const uint32_t *lits, uint32_t n, uint32_t fact)
{
	struct clause c = { .n = n, .fact = fact };
	c.lits = arena_array(s->a, uint32_t, n + 1);
	if (n)
		memcpy(c.lits, lits, n * sizeof(*lits));
	s->effort += n;
	return attach(s, c);
}

/* A literal of the clause, not false, takes the place of the false one at `at`. */
static bool move_watch(struct sat *s, uint32_t id, uint32_t at)
{
	struct clause *c = &s->clauses.v[id];
	for (uint32_t i = 2; i < c->n; i++) {
		s->effort++;
		if (value_of(s, c->lits[i]) < 0)
			continue;
		uint32_t lit = c->lits[i];
		c->lits[i] = c->lits[at];
		c->lits[at] = lit;
		return true;
	}
	return false;
}

/* Looks at all clauses that watch a literal now false; returns the one that fails, + 1. */
static uint32_t visit_watches(struct sat *s, uint32_t lit)
{
	uint32_t w = s->watching[lit], prev = 0;
	while (w) {
		uint32_t id = s->watches.v[w - 1].clause, next = s->watches.v[w - 1].next;
		struct clause *c = &s->clauses.v[id];
		uint32_t at = c->n > 1 && c->lits[1] == lit;
		uint32_t other = c->n > 1 ? c->lits[!at] : lit;
		s->effort++;
		if (value_of(s, other) > 0) {
			prev = w;
		} else if (move_watch(s, id, at)) {
			uint32_t to = c->lits[at];
			if (prev)
				s->watches.v[prev - 1].next = next;
			else
				s->watching[lit] = next;
			s->watches.v[w - 1].next = s->watching[to];
			s->watching[to] = w;
		} else if (value_of(s, other) < 0) {
			return id + 1;
		} else {
			prev = w;
			assign(s, other, id + 1);
		}
		w = next;
	}
	return 0;
}

static uint32_t propagate(struct sat *s)
{
	for (;;) {
		uint32_t failed = s->conflict;
		s->conflict = 0;
		if (failed || s->head == s->trail.n)
			return failed;
		uint32_t lit = s->trail.v[s->head++], var = VAR(lit);
		if (!(lit & 1) && s->expand && !s->expanded[var]) {
			s->expanded[var] = 1;
			s->expand(s, var);
		}
		if (!s->conflict)
			s->conflict = visit_watches(s, NOT(lit));
	}
}

struct analysis {
	struct u32s lits;	/* of the clause to be learnt */
	struct u32s from;
	uint32_t open;		/* seen literals of the current level not resolved yet */
};

static void resolve_with(struct sat *s, struct analysis *an, uint32_t id)
{
	const struct clause *c = &s->clauses.v[id];
	vec_push(s->a, &an->from, id);
	s->effort += c->n;
	for (uint32_t i = 0; i < c->n; i++) {
		uint32_t var = VAR(c->lits[i]);
		if (value_of(s, c->lits[i]) > 0 || s->seen[var] || !s->level[var])
			continue;
		s->seen[var] = 1;
		if (s->level[var] == level_now(s))
			an->open++;
		else
			vec_push(s->a, &an->lits, c->lits[i]);
	}
}

/* Learns the clause of the first unique implication point; goes back as far as it allows. */
static void learn(struct sat *s, uint32_t failed, uint32_t base)
{
	struct analysis an = { 0 };
	vec_push(s->a, &an.lits, NO_LIT);
	resolve_with(s, &an, failed);
	size_t at = s->trail.n;
	uint32_t lit;
	for (;;) {
		do
			lit = s->trail.v[--at];
		while (!s->seen[VAR(lit)] || s->level[VAR(lit)] != level_now(s));
		s->seen[VAR(lit)] = 0;
		if (--an.open == 0)
			break;
		resolve_with(s, &an, s->reason[VAR(lit)] - 1);
	}
	an.lits.v[0] = NOT(lit);
	uint32_t to = 0;
	for (size_t i = 1; i < an.lits.n; i++) {
		uint32_t var = VAR(an.lits.v[i]);
		s->seen[var] = 0;
		if (s->level[var] > to)
			to = s->level[var];
	}
	sat_back(s, to > base ? to : base);
	struct clause c = { .lits = an.lits.v, .n = (uint32_t)an.lits.n, .fact = NO_LIT,
		.from = an.from.v, .n_from = (uint32_t)an.from.n };
	(void)attach(s, c);
}

static void want_core(struct sat *s, uint8_t *marked, struct u32s *todo, uint32_t id)
{
	if (marked[id])
		return;
	marked[id] = 1;
	vec_push(s->a, todo, id);
}

/* All facts from which the failing clause and what level 0 holds were derived. */
static void find_core(struct sat *s, uint32_t failed)
{
	uint8_t *marked = arena_array(s->a, uint8_t, s->clauses.n + 1);
	struct u32s todo = { 0 };
	want_core(s, marked, &todo, failed);
	while (todo.n) {
		const struct clause *c = &s->clauses.v[todo.v[--todo.n]];
		if (c->fact != NO_LIT)
			vec_push(s->a, &s->core, c->fact);
		for (uint32_t i = 0; i < c->n_from; i++)
			want_core(s, marked, &todo, c->from[i]);
		for (uint32_t i = 0; i < c->n; i++) {
			uint32_t var = VAR(c->lits[i]);
			if (s->value[var] && !s->level[var] && s->reason[var])
				want_core(s, marked, &todo, s->reason[var] - 1);
		}
	}
}

void sat_assume(struct sat *s, uint32_t lit)
{
	vec_push(s->a, &s->levels, (uint32_t)s->trail.n);
	assign(s, lit, 0);
}

static uint32_t highest_level(const struct sat *s, uint32_t id)
{
	const struct clause *c = &s->clauses.v[id];
	uint32_t max = 0;
	for (uint32_t i = 0; i < c->n; i++)
		if (s->level[VAR(c->lits[i])] > max)
			max = s->level[VAR(c->lits[i])];
	return max;
}

enum sat_answer sat_run(struct sat *s, uint32_t base)
{
	for (;;) {
		uint32_t failed = propagate(s);
		if (s->effort > s->max_effort)
			return SAT_LIMIT;
		if (failed) {
			uint32_t level = highest_level(s, failed - 1);
			if (level <= base) {
				if (!level)
					find_core(s, failed - 1);
				return SAT_NO;
			}
			sat_back(s, level);
			learn(s, failed - 1, base);
			continue;
		}
		uint32_t lit = s->decide(s);
		if (lit == NO_LIT)
			return SAT_YES;
		sat_assume(s, lit);
	}
}
