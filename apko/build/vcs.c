#include "apko/build/vcs.h"

#include "shared/os/gitrev.h"
#include "shared/os/path.h"

struct str vcs_public(struct str url, struct arena *a)
{
	long scheme = str_find(url, S("://"));
	if (scheme < 0)
		return url;
	struct str head = str_sub(url, 0, (size_t)scheme + 3), rest = str_from(url, head.n);
	struct str host, path;
	(void)str_cut(rest, '/', &host, &path);
	/* without a path the last one is before the hash */
	long at = path.p ? str_rchr(host, '@') : -1;
	return arena_strf(a, "%.*s%.*s", STR_ARG(head), STR_ARG(str_from(rest, (size_t)(at + 1))));
}

/* user@host:path becomes git+ssh://host/path; user info of URLs goes. */
static struct str public_url(struct str url, struct arena *a)
{
	struct str user, host, path;
	if (str_find(url, S("://")) >= 0)
		return vcs_public(url, a);
	if (str_cut(url, '@', &user, &host) && str_cut(host, ':', &host, &path))
		return arena_strf(a, "git+ssh://%.*s/%.*s", STR_ARG(host), STR_ARG(path));
	return url;
}

struct str vcs_probe(const char *config, struct arena *a)
{
	struct gitrev rev = { 0 };
	struct str file = str_of(path_abs(a, config)), cwd = str_of(path_abs(a, "."));
	struct str dir = path_dir(file);
	if (!str_eq(dir, cwd) && !str_starts(dir, arena_strf(a, "%.*s/", STR_ARG(cwd))))
		return STR_NONE;
	if (!gitrev_read(arena_strndup(a, dir.p, dir.n), a, &rev))
		return STR_NONE;
	/* not above the working directory */
	if (!str_starts(str_of(rev.top), cwd))
		return STR_NONE;
	return arena_strf(a, "%.*s@%s", STR_ARG(public_url(str_of(rev.origin), a)), rev.head);
}
