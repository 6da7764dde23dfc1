#include <stdint.h>
#include <stdlib.h>

#include "apko/oci/ref.h"
#include "apko/oci/words.h"

/* References: what is accepted, written out in full, is accepted again and is the same. Command
 * lines: any text. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str full(const struct oci_ref *r, struct arena *a)
{
	struct str name = oci_ref_name(r, a);
	return arena_strf(a, "%.*s%s%.*s%s%.*s", STR_ARG(name), r->tag.n ? ":" : "",
		STR_ARG(r->tag), r->digest.n ? "@" : "", STR_ARG(r->digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct str text = str_n((const char *)data, size);
	struct oci_ref r, again;
	struct strs words;
	if (oci_ref_parse(text, &a, &r, &err)) {
		struct str whole = full(&r, &a);
		if (!oci_ref_parse(whole, &a, &again, &err) || !str_eq(full(&again, &a), whole))
			abort();
	}
	if (oci_words(text, "cmd", &a, &words, &err))
		for (size_t i = 0; i < words.n; i++)
			if (words.v[i].n > size)
				abort();
	return 0;
}
