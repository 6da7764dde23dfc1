#pragma once

#include "shared/apk/solve_sat.h"

/* Stage 2's view of a request: which clauses stand for what. */

enum fact_kind { FACT_NEED, FACT_CONFLICT, FACT_EXCLUSION };
struct fact {
	enum fact_kind kind;
	uint32_t who;			/* package, NO_ID = the request */
	uint32_t other;			/* not for FACT_NEED */
	uint32_t name;			/* FACT_EXCLUSION: what both have */
	const struct satom *atom;	/* not for FACT_EXCLUSION */
	const uint32_t *lits;		/* the clause */
	uint32_t n;
};
struct need {
	const struct satom *atom;
	const uint32_t *options;	/* packages that meet it */
	uint32_t n;
};
struct needs {
	struct need *v;		/* those with few options first */
	size_t n, cap;
};

struct search {
	struct stab *t;
	struct arena *a;
	const struct satoms *world;
	struct sat sat;
	VEC(struct fact) facts;
	struct needs asked;		/* of the request, in its order */
	struct needs by_options;	/* the same, few options first */
	struct needs *needs;		/* per package, once expanded */
	uint32_t *stamp, now;		/* per package: seen in this round */
	uint64_t *reach;		/* per package: pins it may inherit; NULL without pins */
	struct strs pins;
	struct u32s lits;		/* scratch */
};

/* Whether a package's repository may serve what who asks for with the atom. */
bool search_permitted(const struct search *s, uint32_t who, const struct satom *atom,
	uint32_t pkg);
/* Whether there is an answer, as far as a little effort finds it. */
bool search_possible(struct stab *t, const struct satoms *world, struct arena *a);

/* The account of why the facts cannot hold together, into err; its detail is the same as JSON:
 *
 *	{"kind":"conflict","facts":[
 *	  {"fact":"needs","who":null,"atom":"a>1","candidates":[
 *	    {"package":"a-1","repository":"URL","tag":"edge","rejected":"..."}]},
 *	  {"fact":"excludes","who":"b-1","atom":"!a","package":"a-2"},
 *	  {"fact":"shares","name":"v","packages":["a-2","b-1"]}],
 *	 "changes":[{"add":"a@edge"},{"replace":"a>1","with":"a"},{"remove":"a>1"}]}
 *
 * who null is the request; a candidate that is not rejected fails by the other facts. Each of the
 * changes to the request alone makes it one with an answer. */
void search_explain(struct search *s, const struct u32s *core, struct err *err);

enum change_kind { CHANGE_ADD, CHANGE_RELAX, CHANGE_REMOVE };
struct change {
	enum change_kind kind;		/* add it, ask for any version, leave it out */
	const struct satom *atom;
};
struct changes {
	struct change *v;
	size_t n, cap;
};
struct account {
	struct search *s;
	const struct fact *const *facts;
	size_t n;
	struct changes changes;
	unsigned tries;
};
/* Finds the changes. */
void account_changes(struct account *w);
char *account_json(struct account *w);
/* Why the candidate was no option for the need; NULL when it was one. */
const char *account_unfit(struct search *s, const struct fact *f, uint32_t pkg);
