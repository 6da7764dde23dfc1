#pragma once

#include "melange/lint/lint.h"

/* One linter: a name, its place in the default sets, texts, and what looks at the tree. */

enum lint_set { LINT_REQUIRED, LINT_WARN, LINT_OFF };

/* How items are written to the findings document. */
enum lint_shape {
	LINT_PATHS,		/* paths: [path] */
	LINT_MODES,		/* files: [{path, mode, permissions}] */
	LINT_ARCHES,		/* files: [{path, arch}] */
	LINT_BINARIES,		/* binaries: [{path, arch}] */
	LINT_BINARY_NAMES,	/* binaries: [path] */
	LINT_REFERENCES,	/* references: [{path, platform}] */
	LINT_PACKAGES,		/* count, packages: [text] */
	LINT_DUPLICATES,	/* sums, duplicates: [{basename, count, sizes, paths}] */
};

struct lint_item {
	struct str line;	/* as logged */
	struct str path;	/* or a name */
	struct str note;	/* mode, architecture or platform */
	struct strs words;	/* permissions, or the paths of copies */
	uint64_t size;		/* of one copy */
};

struct lint_finding {
	struct str message;	/* empty = the rule's */
	struct strs more;	/* lines that follow it in the log and in the error */
	VEC(struct lint_item) items;
};

struct lint_ctx {
	const struct lint_req *req;
	const struct lint_rule *rule;
	struct arena *arena;
	struct lint_finding found;	/* one, when it has items */
	VEC(struct lint_finding) bare;	/* findings with a message only */
};

struct lint_rule {
	const char *name;
	enum lint_set set;
	enum lint_shape shape;
	/* {pkg} is the package, {n} the number of items, {one|many} a word by that number. */
	const char *message, *advice;
	const char *exempt;	/* package name suffixes, blank-separated */
	/* What is a finding: a file (all but directories) below one of `below`, or with one of
	 * the endings, both blank-separated; or what a function adds. */
	const char *below, *endings;
	bool (*entry)(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err);
	bool (*whole)(struct lint_ctx *c, struct err *err);
};
/* Each ends with a rule without a name. */
extern const struct lint_rule lint_path_rules[], lint_mode_rules[], lint_binary_rules[],
	lint_name_rules[], lint_python_rules[], lint_duplicate_rules[];

void lint_path(struct lint_ctx *c, struct str path);
/* Logged as "path (note)". */
void lint_noted(struct lint_ctx *c, struct str path, struct str note);
void lint_bare(struct lint_ctx *c, struct str message);
bool lint_is_file(const struct tree_node *n);
/* Below one of the directories, or with one of the endings, both blank-separated. */
bool lint_below(struct str path, const char *dirs);
bool lint_ends(struct str path, const char *endings);
/* "4.0 kB": units of 1000, one digit behind the point below 10. */
struct str lint_size(uint64_t bytes, struct arena *a);

/* The findings document. */
struct jwrite;
void lint_write_details(struct jwrite *w, enum lint_shape shape, const struct lint_finding *f,
	struct arena *a);
