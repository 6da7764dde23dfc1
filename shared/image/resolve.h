#pragma once

#include "shared/apk/arch.h"
#include "shared/apk/repo.h"
#include "shared/apk/solve.h"
#include "shared/image/base.h"
#include "shared/image/imgconf.h"

/* A description's packages resolved for one or several architectures together (apko 3.1): used
 * by apko and for melange's guests. */

struct image_repos {
	struct strs build;   /* sorted union: build_repositories, repositories, appended ones */
	struct strs runtime; /* sorted union: repositories, runtime_repositories, appended */
	struct strs keys;    /* keyring entries: paths and URLs */
};
struct image_append { /* command line additions; any may be NULL */
	const struct strs *keys, *build_repos, *repos, *packages;
	const struct strs *roots; /* where the base image's packages may be, as imgconf_load */
};
void image_repos(const struct imgconf *c, const struct image_append *add, struct arena *a,
	struct image_repos *ret);
/* A repository line as an image may show it: without user name and password. */
struct str image_public_line(struct str line, struct arena *a);
/* Loads key files and URLs into a keyring. */
struct http;
bool image_keys(const struct image_repos *r, struct http *http, struct arena *a,
	struct keyring *ret, struct err *err) must_check;

struct image_solution {
	const struct apk_arch *arch;
	struct apk_indexes indexes; /* a base image's packages are the last */
	struct image_base base;
	struct solve_result set; /* install order, without what the base image has */
	struct strs world;       /* what was asked for, with what the base image has */
	struct strs locked;      /* sorted "name=version[@pin]" of the set */
};
/* Solves for all archs together; ret[i] belongs to archs[i]. Checks that every requested name got
 * one version on all of them. A refusal's detail is the JSON text of one or more comma-separated
 * objects as search_explain has them, with "arch" in front. */
bool image_resolve(const struct imgconf *c, const struct image_append *add,
	const struct apk_arch *const *archs, size_t n, const struct repo_opts *opts,
	struct arena *a, struct image_solution *ret, struct err *err) must_check;
