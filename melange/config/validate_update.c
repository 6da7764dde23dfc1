#include "melange/config/validate.h"

#include "melange/config/transform.h"
#include "shared/base/log.h"

static void warn(const struct ynode *at, const char *what, struct str name)
{
	struct pos pos = at ? at->pos : (struct pos){ 0 };
	log_warn("%s:%d:%d: %s: '%.*s'", pos.file ? pos.file : "", pos.line, pos.col, what,
		STR_ARG(str_sub(name, 0, 60)));
}

static void check_regex(struct ystr re, const char *what)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str ignored;
	const char *why;
	if (!transform_replace(S(""), re.s, S(""), &a, &ignored, &why))
		warn(re.at, arena_printf(&a, "%s: %s", what, why), re.s);
}

void validate_update(const struct update *u)
{
	static const char *const periods[] = { "daily", "weekly", "monthly" };
	const struct version_transform *t = u->version_transform.v;
	int providers = !!u->github + !!u->git + !!u->oci + !!u->release_monitor;
	bool known = !u->schedule || u->schedule->period.s.n == 0;
	for (size_t i = 0; u->schedule && i < countof(periods); i++)
		known |= str_is(u->schedule->period.s, periods[i]);
	if (!known)
		warn(u->schedule->period.at, "period is none of daily, weekly, monthly",
			u->schedule->period.s);
	for (size_t i = 0; i < u->ignore_regex_patterns.n; i++)
		check_regex(u->ignore_regex_patterns.v[i], "ignore-regex-patterns");
	for (size_t i = 0; i < u->version_transform.n; i++)
		check_regex(t[i].match, "version-transform");
	if (providers > 1)
		warn(u->at, "several sources of versions are named, one is enough", S("update"));
}
