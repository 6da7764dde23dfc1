#pragma once

#include "shared/apk/solve_int.h"
#include "shared/base/vec.h"

/* Satisfiability by conflict-driven clause learning, made to order for the resolver: clauses may
 * be added when a variable first becomes true, the caller decides (always for a positive literal),
 * and a proof that there is no solution names the clauses it needs. Deterministic.
 *
 * A literal is 2 * variable, + 1 if negated. */

#define LIT(var) ((var) << 1)
#define NOT(lit) ((lit) ^ 1)
#define VAR(lit) ((lit) >> 1)
#define NO_LIT UINT32_MAX

struct clause {
	uint32_t *lits;		/* the first two are watched */
	uint32_t n;
	uint32_t fact;		/* the caller's number for it; NO_LIT when learnt */
	uint32_t *from;		/* learnt: the clauses it follows from */
	uint32_t n_from;
};
struct watch {
	uint32_t clause, next;	/* + 1; 0 ends */
};
struct sat {
	struct arena *a;
	int8_t *value;		/* per variable: 1 true, -1 false, 0 open */
	uint32_t *level, *reason;	/* per variable; reason: clause + 1 */
	uint8_t *seen, *expanded;
	uint32_t *watching;	/* per literal: first of its watches, + 1 */
	VEC(struct watch) watches;
	VEC(struct clause) clauses;
	struct u32s trail, levels;	/* levels: where in the trail each begins */
	size_t head;		/* of the trail: what is still to be propagated */
	uint32_t conflict;	/* clause + 1 found false when it was added */
	size_t effort, max_effort;	/* literals looked at */
	void (*expand)(struct sat *s, uint32_t var);	/* adds what follows from var; or NULL */
	uint32_t (*decide)(struct sat *s);	/* an open literal, NO_LIT when all is settled */
	void *ctx;
	struct u32s core;	/* after SAT_NO: facts that cannot hold together */
};
enum sat_answer { SAT_YES, SAT_NO, SAT_LIMIT };

void sat_init(struct sat *s, uint32_t n_vars, struct arena *a);
/* Copies the literals. Returns the clause's number. */
uint32_t sat_add(struct sat *s, const uint32_t *lits, uint32_t n, uint32_t fact);
/* Decides lit on a level of its own. */
void sat_assume(struct sat *s, uint32_t lit);
/* Undoes all levels after the first `level`. */
void sat_back(struct sat *s, uint32_t level);
/* Searches without undoing the first `base` levels. SAT_NO with base 0 fills core. */
enum sat_answer sat_run(struct sat *s, uint32_t base);
