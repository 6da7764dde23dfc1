#pragma once

#include "melange/config/load.h"
#include "melange/plan/compile.h"
#include "shared/text/jwrite.h"

/* Checks of a build file that need no build: that it loads and compiles for each architecture, and
 * rules about what is legal but seldom meant. Nothing is run or asked for over the network. */

struct conf_lint_req {
	const struct load_opts *load;
	const struct apk_arch *const *archs;	/* those the file excludes are passed over */
	size_t n_archs;
	struct strs pipeline_dirs;
	const struct strs *build_options;
};
struct conf_finding {
	struct pos pos;		/* line 0: of the whole file */
	bool error;		/* a build would fail */
	const char *rule;	/* "load", "compile" or the rule's name */
	const char *msg;
	const char *shown;	/* as it is printed, with the source line; lines end in '\n' */
};
struct conf_findings {
	struct conf_finding *v;
	size_t n, cap;
};
/* What is found, sorted by place. false only when the file cannot be read. */
bool conf_lint(const char *path, const struct conf_lint_req *req, struct arena *a,
	struct conf_findings *ret, struct err *err) must_check;

/* For the rules. */
struct conf_ctx {
	const struct config *c;
	struct str src;
	struct conf_findings *found;
	struct arena *a;
};
void conf_report(struct conf_ctx *x, const struct ynode *at, bool error, const char *rule,
	const char *fmt, ...) printf_like(5, 6);
void conf_package_rules(struct conf_ctx *x);
void conf_step_rules(struct conf_ctx *x);
