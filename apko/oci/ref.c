#include "apko/oci/ref.h"

#include <string.h>

#include "shared/crypto/digest.h"

#define HUB "index.docker.io"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define REPO_CHARS LOWER DIGITS "_-./"
#define TAG_CHARS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "_-."
#define REGISTRY_CHARS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-._:[]"

static bool all_of(struct str s, const char *chars)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(chars, s.p[i]))
			return false;
	return true;
}

static bool check(struct str whole, const char *what, struct str part, const char *chars,
	size_t min, size_t max, struct err *err)
{
	if (part.n < min || part.n > max)
		return err_set(err, EK_USAGE,
			"invalid reference '%.*s': %s '%.*s' must have %zu to %zu characters",
			STR_ARG(whole), what, STR_ARG(part), min, max);
	if (!all_of(part, chars))
		return err_set(err, EK_USAGE,
			"invalid reference '%.*s': %s '%.*s' may only hold the characters '%s'",
			STR_ARG(whole), what, STR_ARG(part), chars);
	return true;
}

static bool is_registry(struct str s)
{
	return str_is(s, "localhost") || str_chr(s, '.') >= 0 || str_chr(s, ':') >= 0;
}

static void cut_tag(struct str *rest, struct str *tag)
{
	long colon = str_rchr(*rest, ':');
	if (colon < 0 || str_rchr(*rest, '/') > colon)
		return;
	*tag = str_from(*rest, (size_t)colon + 1);
	*rest = str_sub(*rest, 0, (size_t)colon);
}

static bool digest_ok(struct str digest)
{
	uint8_t md[SHA256_SIZE];
	return str_skip(&digest, S("sha256:")) && hex_decode(digest, md, sizeof(md));
}

bool oci_ref_parse(struct str text, struct arena *a, struct oci_ref *ret, struct err *err)
{
	struct str rest, digest, registry = S(HUB), repo, tag = STR_NONE;
	bool has_digest = str_cut(text, '@', &rest, &digest);
	if (has_digest && !digest_ok(digest))
		return err_set(err, EK_USAGE,
			"invalid reference '%.*s': '%.*s' is no digest of the form sha256:HEX",
			STR_ARG(text), STR_ARG(digest));
	bool has_colon = str_rchr(rest, ':') > str_rchr(rest, '/');
	cut_tag(&rest, &tag);
	if (!has_colon && !has_digest)
		tag = S("latest");
	if (!str_cut(rest, '/', &registry, &repo) || !is_registry(registry)) {
		registry = S(HUB);
		repo = rest;
	}
	if (str_is(registry, "docker.io"))
		registry = S(HUB);
	if (!check(text, "registry", registry, REGISTRY_CHARS, 1, 255, err) ||
		!check(text, "repository", repo, REPO_CHARS, 2, 255, err) ||
		((has_colon || !has_digest) && !check(text, "tag", tag, TAG_CHARS, 1, 128, err)))
		return false;
	bool single = str_is(registry, HUB) && str_chr(repo, '/') < 0;
	*ret = (struct oci_ref){
		.registry = arena_str(a, registry),
		.repo = arena_strf(a, "%s%.*s", single ? "library/" : "", STR_ARG(repo)),
		.tag = arena_str(a, tag),
		.digest = has_digest ? arena_str(a, digest) : STR_NONE,
	};
	return true;
}

struct str oci_ref_name(const struct oci_ref *r, struct arena *a)
{
	return arena_strf(a, "%.*s/%.*s", STR_ARG(r->registry), STR_ARG(r->repo));
}

struct str oci_ref_arch_tag(const struct oci_ref *r, const struct apk_arch *arch, struct arena *a)
{
	struct str s = arena_strf(a, "%.*s/%.*s:%.*s-%s", STR_ARG(r->registry), STR_ARG(r->repo),
		STR_ARG(r->tag), arch->oci);
	char *slash = strchr(s.p + s.n - strlen(arch->oci), '/');
	if (slash)
		*slash = '_';
	return s;
}
