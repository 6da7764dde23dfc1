#pragma once

#include "melange/config/model.h"
#include "shared/apk/arch.h"
#include "shared/base/buf.h"

/* Configuration to compiled configuration for one architecture: `uses` resolved, inputs checked,
 * every value substituted, every `if` decided, needs added to the environments, comments dropped
 * (melange-config 4 and 5). Pure: reads definitions, runs nothing. */

struct compile_opts {
	const struct apk_arch *arch;
	struct strs pipeline_dirs;	/* searched in order, then the built-in ones */
	const char *libc_flavour;	/* NULL = "gnu" */
	const struct strs *build_options;
	const char *test_package;	/* argument 2 of `test`; NULL = the origin */
};
bool config_compile(const struct config *c, const struct compile_opts *opts, struct arena *a,
	struct config *ret, struct err *err) must_check;
/* Whether package.target-architecture lets this architecture be built. */
bool config_arch_wanted(const struct config *c, const struct apk_arch *arch);
/* One line of JSON, as `melange compile` prints it (5.3). */
bool config_json(const struct config *compiled, struct buf *out, struct err *err) must_check;
/* `.melange.yaml`: the same content under YAML names, 2-space indent; must load again. */
bool config_yaml(const struct config *compiled, struct buf *out, struct err *err) must_check;
