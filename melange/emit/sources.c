#include "melange/emit/sources.h"

#include "shared/crypto/digest.h"

static struct str with(const struct step *s, const char *key)
{
	const struct ystr *v = ykvs_get(&s->with, str_of(key));
	return v ? v->s : STR_NONE;
}

static void add_sum(struct spdx_pkg *p, const char *algorithm, struct str value)
{
	if (value.n)
		p->sums[p->n_sums++] = (struct spdx_checksum){ algorithm, value };
}

static bool fetch_source(const struct emit_build *b, const struct step *s, size_t index,
	struct spdx_pkg *p, struct arena *a)
{
	struct str uri = with(s, "uri"), name = with(s, "purl-name"), version = with(s, "purl-version");
	struct str sha256 = with(s, "expected-sha256"), sha512 = with(s, "expected-sha512");
	if (uri.n == 0)
		return false;
	if (name.n == 0)
		name = b->conf->package.name.s;
	if (version.n == 0)
		version = b->conf->package.version.s;
	p->id = arena_strf(a, "SPDXRef-Package-Source-%.*s-%.*s-%zu", STR_ARG(spdx_id(name, true, a)),
		STR_ARG(spdx_id(version, true, a)), index);
	p->name = name;
	p->version = version;
	p->download = uri;
	p->purpose = S("SOURCE");
	add_sum(p, "SHA256", sha256);
	add_sum(p, "SHA512", sha512);
	struct str sum = sha512.n ? arena_strf(a, "checksum=sha512:%.*s&", STR_ARG(sha512))
		: sha256.n ? arena_strf(a, "checksum=sha256:%.*s&", STR_ARG(sha256)) : STR_NONE;
	spdx_add_ref(a, p, "PACKAGE-MANAGER", "purl", arena_strf(a,
		"pkg:generic/%.*s@%.*s?%.*sdownload_url=%.*s", STR_ARG(purl_part(name, a)),
		STR_ARG(purl_part(version, a)), STR_ARG(sum), STR_ARG(purl_qualifier(uri, a))));
	return true;
}

static void github_source(struct spdx_pkg *p, struct str path, struct str version, struct str ref,
	struct arena *a)
{
	struct str owner, repo;
	(void)str_chop(&path, S(".git"));
	(void)str_cut(path, '/', &owner, &repo);
	p->name = repo;
	p->originator = p->supplier = sbom_organization(owner, a);
	p->download = arena_strf(a, "https://github.com/%.*s/%.*s/archive/%.*s.tar.gz",
		STR_ARG(owner), STR_ARG(repo), STR_ARG(ref));
	spdx_add_ref(a, p, "PACKAGE-MANAGER", "purl", arena_strf(a, "pkg:github/%.*s/%.*s@%.*s",
		STR_ARG(purl_part(owner, a)), STR_ARG(purl_part(repo, a)),
		STR_ARG(purl_part(version, a))));
}

static void other_source(struct spdx_pkg *p, struct str url, struct str version, struct str ref,
	struct str commit, struct arena *a)
{
	struct str rest = url, host;
	long scheme = str_find(url, S("://"));
	if (scheme >= 0)
		rest = str_from(url, (size_t)scheme + 3);
	(void)str_cut(rest, '/', &host, &rest);
	(void)str_chop(&rest, S(".git"));
	uint8_t md[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	digest_once(DIGEST_SHA256, rest.p, rest.n, md);
	hex_encode(md, SHA256_SIZE, hex);
	p->name = rest;
	p->download = arena_strf(a, "https://tarballs.cgr.dev/%.*s/%s-%.*s.tar.gz",
		rest.n ? 1 : 0, rest.p ? rest.p : "", hex, STR_ARG(ref));
	struct str vcs = arena_strf(a, "git+%.*s%s%.*s", STR_ARG(url), commit.n ? "@" : "",
		STR_ARG(commit));
	spdx_add_ref(a, p, "PACKAGE-MANAGER", "purl", arena_strf(a, "pkg:generic/%.*s@%.*s?vcs_url=%.*s",
		STR_ARG(purl_part(rest, a)), STR_ARG(purl_part(version, a)),
		STR_ARG(purl_qualifier(vcs, a))));
}

static bool git_source(const struct step *s, size_t index, struct str license, struct spdx_pkg *p,
	struct arena *a)
{
	struct str url = with(s, "repository"), branch = with(s, "branch"), tag = with(s, "tag");
	struct str commit = with(s, "expected-commit");
	if (url.n == 0 || (tag.n == 0 && commit.n == 0))
		return false;
	struct str bare = url, version = tag.n ? tag : commit, ref = commit.n ? commit : tag;
	long scheme = str_find(bare, S("://"));
	if (scheme >= 0)
		bare = str_from(bare, (size_t)scheme + 3);
	auto_buf struct buf id = BUF_INIT(1 << 16);
	buf_printf(&id, "SPDXRef-Package-Source-%.*s", STR_ARG(spdx_id(bare, true, a)));
	const struct str parts[] = { branch, tag, commit };
	for (size_t i = 0; i < countof(parts); i++)
		if (parts[i].n)
			buf_printf(&id, "-%.*s", STR_ARG(spdx_id(parts[i], true, a)));
	buf_printf(&id, "-%zu", index);
	p->id = arena_str(a, buf_str(&id));
	p->version = version;
	p->license_declared = license;
	p->purpose = S("SOURCE");
	if (str_skip(&bare, S("github.com/")))
		github_source(p, bare, version, ref, a);
	else
		other_source(p, url, version, ref, commit, a);
	return true;
}

bool source_check(const struct step *s, struct err *err)
{
	const struct ystr *v = ykvs_get(&s->with, S("repository"));
	if (!str_is(s->uses.s, "git-checkout") || !v)
		return true;
	long colon = str_chr(v->s, ':'), slash = str_chr(v->s, '/');
	if (colon < 0 || str_find(v->s, S("://")) >= 0 || (slash >= 0 && slash < colon))
		return true;
	return err_at(err, v->at ? v->at->pos : s->at->pos, "'%.*s' is not a URL\n"
		"hint: write ssh://HOST/PATH or https://HOST/PATH", STR_ARG(v->s));
}

bool source_of_step(const struct emit_build *b, const struct step *s, size_t index,
	struct spdx_pkg *p, struct arena *a)
{
	if (str_is(s->uses.s, "fetch"))
		return fetch_source(b, s, index, p, a);
	if (!str_is(s->uses.s, "git-checkout"))
		return false;
	const struct copyright *c = b->conf->package.copyright.v;
	struct str license = b->conf->package.copyright.n ? c[0].license.s : S("NOASSERTION");
	return git_source(s, index, license, p, a);
}
