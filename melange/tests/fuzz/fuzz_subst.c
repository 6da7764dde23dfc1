#include <stdint.h>
#include <stdlib.h>

#include "melange/config/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ystr node(struct arena *a, struct ydoc *doc, struct str text)
{
	struct diags d;

	diags_init(&d, a, NULL);
	if (!ydoc_parse_into(text, "f.yaml", a, doc, &d) || !doc->root)
		return (struct ystr){ text, NULL };
	return (struct ystr){ doc->root->text, doc->root };
}

/* Lines are variables (name, blank, value) up to an empty one, then comes the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str rest = arena_str(&a, str_n((const char *)data, size)), line, name, value;
	struct diags d;
	struct scope outer, scope;
	struct ydoc doc = { 0 };
	size_t n = 0;

	diags_init(&d, &a, &doc);
	scope_init(&outer, NULL, &a);
	scope_init(&scope, &outer, &a);
	while (n++ < 64 && str_cut(rest, '\n', &line, &rest) && line.n > 0) {
		(void)str_cut(line, ' ', &name, &value);
		scope_set(n % 3 ? &scope : &outer, name, (struct ystr){ value, NULL });
	}
	struct ystr text = node(&a, &doc, rest);
	for (enum subst_mode mode = SUBST_LAX; mode <= SUBST_COND_TRY; mode++) {
		const struct subst x = { .scope = &scope, .arena = &a, .diags = &d, .mode = mode };
		size_t problems = d.list.n;
		struct ystr out = subst(&x, text);
		if (!subst_any(text.s) && !str_eq(out.s, text.s))
			abort();
		if (mode <= SUBST_TRY && d.list.n > problems && !subst_any(text.s))
			abort();
		for (size_t at = 0; at <= out.s.n; at += 1 + out.s.n / 16) {
			struct pos pos = subst_pos(&d, out, at);
			if (text.at && (pos.line < text.at->pos.line || pos.col < 1))
				abort();
		}
	}
	scope_release(&scope);
	scope_release(&outer);
	return 0;
}
