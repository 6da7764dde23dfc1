#include <stdint.h>
#include <stdlib.h>

#include "shared/apk/discovery.h"
#include "shared/apk/repo.h"
#include "shared/net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool holds(struct str s, char c)
{
	return str_chr(s, c) >= 0;
}

/* Repository lines: what is taken apart is made of the line, and what is shown of it has no
 * password. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str rest = str_n((const char *)data, size), line, branch;

	while (rest.n && str_next(&rest, '\n', &line)) {
		auto_err struct err err = ERR_INIT;
		struct repo_line l;
		struct url u;
		if (!repo_line_parse(line, &l, &err))
			continue;
		if (!l.url.n || holds(l.tag, ' ') || holds(l.tag, '/'))
			abort();
		if (discovery_alpine_branch(l.url, &branch) && (!branch.n || holds(branch, '/')))
			abort();
		const char *shown = url_redact(l.url, &a);
		if (!l.is_local && url_parse(l.url, &a, &u, &err) &&
		    url_parse(str_of(shown), &a, &u, &err) && u.password.n)
			abort();
		(void)discovery_config_url(l.url, &a);
	}
	return 0;
}
