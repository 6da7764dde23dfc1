#include <stdint.h>
#include <stdlib.h>

#include "melange/config/cond.h"
#include "shared/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A condition says the same with its values in it as with its variables. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct diags d;
	struct scope scope;
	struct str text = arena_str(&a, str_n((const char *)data, size));
	bool value = false, again = false;

	log_setup(LOG_ERROR + 1, 2);
	diags_init(&d, &a, NULL);
	scope_init(&scope, NULL, &a);
	scope_set_text(&scope, "vars.a", S("x'\"\\ $y"));
	scope_set_text(&scope, "build.arch", S("x86_64"));
	scope_set_text(&scope, "vars.deep", S("${{vars.a}}${{build.arch}}"));
	struct subst x = { .scope = &scope, .arena = &a, .diags = &d, .mode = SUBST_STRICT };
	if (cond_eval(&x, (struct ystr){ text, NULL }, &value)) {
		struct subst printed = x;
		printed.mode = SUBST_COND;
		struct ystr with_values = subst(&printed, (struct ystr){ text, NULL });
		/* a value may make a token of the text before it */
		if (!subst_any(with_values.s) &&
			(!cond_eval(&x, with_values, &again) || value != again))
			abort();
	}
	scope_release(&scope);
	return 0;
}
