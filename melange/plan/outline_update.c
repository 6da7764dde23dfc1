#include "melange/plan/outline_int.h"

/* The update section. */

static void monitor(const struct ol *w, struct outline *to, const char *key,
	const struct update_monitor *m)
{
	if (!m)
		return;
	struct outline *o = ol_map(w);
	ol_opt(w, o, "identifier", m->identifier);
	ol_opt(w, o, "strip-prefix", m->strip_prefix);
	ol_opt(w, o, "strip-suffix", m->strip_suffix);
	ol_opt(w, o, "tag-filter", m->tag_filter);
	ol_opt(w, o, "tag-filter-prefix", m->tag_filter_prefix);
	ol_opt(w, o, "tag-filter-contains", m->tag_filter_contains);
	ol_opt_bool(w, o, "use-tag", m->use_tags);
	ol_add(w, to, key, o);
}

static void release_monitor(const struct ol *w, struct outline *to, const struct release_monitor *m)
{
	if (!m)
		return;
	struct outline *o = ol_map(w);
	ol_put_int(w, o, "identifier", m->identifier);
	ol_opt(w, o, "strip-prefix", m->strip_prefix);
	ol_opt(w, o, "strip-suffix", m->strip_suffix);
	ol_opt(w, o, "version-filter-contains", m->version_filter_contains);
	ol_opt(w, o, "version-filter-prefix", m->version_filter_prefix);
	ol_add(w, to, "release-monitor", o);
}

static void version_data(const struct ol *w, struct outline *to, const struct version_data *d)
{
	if (!d)
		return;
	struct outline *o = ol_map(w), *list = ol_node(w, OL_LIST);
	ol_opt(w, o, "version_format", d->version_format);
	const struct version_source *s = d->sources.v;
	for (size_t i = 0; i < d->sources.n; i++) {
		struct outline *item = ol_map(w);
		ol_opt(w, item, "name", s[i].name);
		ol_opt(w, item, "stream", s[i].stream);
		ol_opt_list(w, item, "ignore", &s[i].ignore);
		ol_opt(w, item, "commit_source", s[i].commit_source);
		ol_opt_bool(w, item, "use_release", s[i].use_release);
		ol_add(w, list, NULL, item);
	}
	ol_opt_nested(w, o, "sources", list);
	ol_add(w, to, "version_data", o);
}

struct outline *ol_update(const struct ol *w, const struct update *u)
{
	struct outline *o = ol_map(w), *list = ol_node(w, OL_LIST);
	if (!u->at && !w->json)
		return o;
	ol_put_bool(w, o, "enabled", u->enabled);
	if (u->manual || !w->json)
		ol_put_bool(w, o, "manual", u->manual);
	if (u->require_sequential || !w->json)
		ol_put_bool(w, o, "require-sequential", u->require_sequential);
	ol_opt_bool(w, o, "shared", u->shared);
	ol_opt(w, o, "version-separator", u->version_separator);
	ol_opt_list(w, o, "ignore-regex-patterns", &u->ignore_regex_patterns);
	release_monitor(w, o, u->release_monitor);
	monitor(w, o, "github", u->github);
	monitor(w, o, "git", u->git);
	monitor(w, o, "oci", u->oci);
	version_data(w, o, u->version_data);
	const struct version_transform *t = u->version_transform.v;
	for (size_t i = 0; i < u->version_transform.n; i++) {
		struct outline *item = ol_map(w);
		ol_put(w, item, "match", t[i].match.s);
		ol_put(w, item, "replace", t[i].replace.s);
		ol_add(w, list, NULL, item);
	}
	ol_opt_nested(w, o, "version-transform", list);
	ol_opt(w, o, "exclude-reason", u->exclude_reason);
	if (u->schedule) {
		struct outline *schedule = ol_map(w);
		ol_opt(w, schedule, "reason", u->schedule->reason);
		ol_opt(w, schedule, "period", u->schedule->period);
		ol_add(w, o, "schedule", schedule);
	}
	ol_opt_bool(w, o, "enable-prerelease-tags", u->enable_prerelease_tags);
	return o;
}
