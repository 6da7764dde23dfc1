#include "shared/image/certs.h"

#include "shared/crypto/digest.h"
#include "shared/crypto/pem.h"
#include "shared/crypto/sigkey.h"
#include "shared/image/jks.h"
#include "shared/os/path.h"

#define CERT_DIR "usr/local/share/ca-certificates"
#define MAX_CERT (1u << 20)
#define MAX_BUNDLE (256u << 20)
#define MAX_NAME 180 /* with the digest and ".crt" still a file name */

/* The trust store of Java comes last: it is no text to append to. */
static const char *const bundles[] = {
	"etc/ssl/certs/ca-certificates.crt",
	"var/lib/ecs/deps/execute-command/certs/tls-ca-bundle.pem",
	"kaniko/ssl/certs/ca-certificates.crt",
	"etc/ssl/certs/java/cacerts",
};
#define JAVA (countof(bundles) - 1)

struct cert {
	struct str alias, der;
};
struct certs {
	struct tree *t;
	struct arena a;
	int64_t bde;
	VEC(struct cert) list;
};

/* The one block that text must hold; NULL when it does, else what is wrong with it. */
static const char *only_block(
	struct str text, struct str type, struct arena *a, struct pem_block *ret)
{
	struct pem_block more;
	if (!pem_next(&text, a, ret))
		return "no PEM block found";
	if (!str_eq(ret->type, type))
		return arena_printf(
			a, "expected a %.*s block, got %.*s", STR_ARG(type), STR_ARG(ret->type));
	if (pem_next(&text, a, &more))
		return "several PEM blocks found, only one is allowed";
	return NULL;
}

static const char *certificate(struct str text, struct arena *a, struct pem_block *ret)
{
	const char *why = only_block(text, S("CERTIFICATE"), a, ret);
	if (!why && !pem_is_certificate(ret->der))
		why = "not a valid X.509 certificate";
	return why;
}

static const char *public_key(struct str text, struct arena *a, struct pem_block *ret)
{
	auto_buf struct buf pem = BUF_INIT(BUF_NOLIMIT);
	auto_err struct err err = ERR_INIT;
	const char *why = only_block(text, S("PUBLIC KEY"), a, ret);
	if (why)
		return why;
	pem_write(ret->type, ret->der, &pem);
	auto_sigkey struct sigkey *key = sigkey_read_public(buf_str(&pem), "key", &err);
	if (!key)
		return "not a valid public key";
	return sigkey_is_rsa(key) ? NULL : "not an RSA key";
}

static struct pos place(const struct ystr *s, const struct ynode *at)
{
	return s->at ? s->at->pos : at ? at->pos : (struct pos){0};
}

bool certs_check(const struct imgconf_certs *certs, struct diags *diags)
{
	size_t before = diags->list.n;
	for (size_t i = 0; certs && i < certs->additional.n; i++) {
		auto_arena struct arena a = ARENA_INIT;
		const struct imgconf_cert *c = &((struct imgconf_cert *)certs->additional.v)[i];
		struct pem_block block;
		const char *why = certificate(c->content.s, &a, &block);
		if (why)
			diags_add(diags, place(&c->content, c->at), "certificate '%.*s': %s",
				STR_ARG(c->name.s), why);
	}
	return diags->list.n == before;
}

bool runtime_keys_check(const struct bind_list *keys, struct diags *diags)
{
	size_t before = diags->list.n;
	for (size_t i = 0; i < keys->n; i++) {
		auto_arena struct arena a = ARENA_INIT;
		const struct imgconf_key *k = &((struct imgconf_key *)keys->v)[i];
		struct pem_block block;
		const char *why = public_key(k->content.s, &a, &block);
		if (why)
			diags_add(diags, place(&k->content, k->at), "runtime key '%.*s': %s",
				STR_ARG(k->name.s), why);
	}
	return diags->list.n == before;
}

static bool name_ok(struct str name)
{
	return path_is_safe(name) && str_chr(name, '/') < 0 && name.n <= MAX_NAME;
}

static struct str alias_of(struct arena *a, struct str name, struct str der)
{
	uint8_t md[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	digest_once(DIGEST_SHA256, der.p, der.n, md);
	hex_encode(md, sizeof(md), hex);
	return arena_strf(a, "%.*s-%s", STR_ARG(name), hex);
}

static bool put_file(struct tree *t, struct str path, struct str text, uint32_t mode, int64_t mtime,
	struct err *err)
{
	struct tree_node *n = tree_put(t, path, text, mode, err);
	if (n)
		n->mtime = mtime;
	return n != NULL;
}

static bool add_cert(struct certs *cs, const struct imgconf_cert *c, struct err *err)
{
	auto_buf struct buf pem = BUF_INIT(BUF_NOLIMIT);
	struct pem_block block;
	const char *why = certificate(c->content.s, &cs->a, &block);
	if (!why && !name_ok(c->name.s))
		why = "this name cannot be part of a file name";
	if (why)
		return err_at(err, place(&c->content, c->at), "certificate '%.*s': %s",
			STR_ARG(c->name.s), why);
	struct cert cert = {alias_of(&cs->a, c->name.s, block.der), block.der};
	vec_push(&cs->a, &cs->list, cert);
	pem_write(S("CERTIFICATE"), block.der, &pem);
	struct str path = arena_strf(&cs->a, CERT_DIR "/%.*s.crt", STR_ARG(cert.alias));
	return put_file(cs->t, path, buf_str(&pem), 0644, cs->bde, err);
}

static bool provides_one(const struct apk_pkg *pkg, const struct ystrs *providers)
{
	struct str rest = pkg->provides, word;
	while (str_word(&rest, &word))
		for (size_t i = 0; i < providers->n; i++)
			if (str_eq(word, providers->v[i].s))
				return true;
	return false;
}

static void list_cert_files(struct certs *cs, const struct apk_file *f, struct strs *ret)
{
	for (size_t i = 0; i < f->n_entries; i++) {
		struct str name = f->entries[i].name;
		if (f->entries[i].type == '5' || !str_starts(name, S(CERT_DIR "/")) ||
			(!str_ends(name, S(".crt")) && !str_ends(name, S(".pem"))))
			continue;
		/* Another package may have replaced the file since. */
		const struct tree_node *n = tree_find(cs->t, name, false);
		if (n && n->owner == f)
			strs_push(&cs->a, ret, name);
	}
}

static bool provided_certs(struct certs *cs, const struct imgconf_certs *conf,
	const struct apk_file *files, size_t n, struct err *err)
{
	struct strs names = {0};
	for (size_t i = 0; i < n; i++)
		if (provides_one(&files[i].info, &conf->providers))
			list_cert_files(cs, &files[i], &names);
	strs_sort(&names);
	strs_uniq(&names);
	for (size_t i = 0; i < names.n; i++) {
		const struct tree_node *file = tree_find(cs->t, names.v[i], true);
		struct pem_block block;
		struct str text;
		if (!file || file->type != '0' || file->body->size > MAX_CERT)
			continue;
		if (!tree_read(file, &cs->a, MAX_CERT, &text, err))
			return false;
		if (certificate(text, &cs->a, &block))
			continue;
		struct cert c = {alias_of(&cs->a, S("pkg"), block.der), block.der};
		vec_push(&cs->a, &cs->list, c);
	}
	return true;
}

static bool append_bundle(struct certs *cs, const char *path, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(MAX_BUNDLE);
	struct str text;
	const struct tree_node *n = tree_find(cs->t, str_of(path), true);
	if (!n)
		return true;
	if (!tree_read(n, &cs->a, MAX_BUNDLE, &text, err))
		return false;
	buf_addstr(&b, text);
	for (size_t i = 0; i < cs->list.n; i++) {
		pem_write(S("CERTIFICATE"), cs->list.v[i].der, &b);
		buf_addc(&b, '\n');
	}
	if (b.over)
		return err_set(err, EK_PARSE, "'%s' is longer than %u bytes", path, MAX_BUNDLE);
	return put_file(cs->t, str_of(path), buf_str(&b), 0644, cs->bde, err);
}

static bool add_to_java(struct certs *cs, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(MAX_BUNDLE);
	struct jks store;
	struct str bytes;
	const struct tree_node *n = tree_find(cs->t, str_of(bundles[JAVA]), true);
	if (!n)
		return true;
	if (!tree_read(n, &cs->a, MAX_BUNDLE, &bytes, err))
		return false;
	if (!jks_read(bytes, &cs->a, &store, err))
		return err_wrap(err, "'%s'", bundles[JAVA]);
	for (size_t i = 0; i < cs->list.n; i++)
		jks_put(&store, cs->list.v[i].alias, cs->list.v[i].der, (uint64_t)cs->bde * 1000,
			&cs->a);
	jks_write(&store, &cs->a, &b);
	if (b.over)
		return err_set(
			err, EK_PARSE, "'%s' is longer than %u bytes", bundles[JAVA], MAX_BUNDLE);
	return put_file(cs->t, str_of(bundles[JAVA]), buf_str(&b), 0644, cs->bde, err);
}

static bool install(struct certs *cs, const struct imgconf_certs *conf,
	const struct apk_file *files, size_t n, struct err *err)
{
	for (size_t i = 0; i < conf->additional.n; i++)
		if (!add_cert(cs, &((struct imgconf_cert *)conf->additional.v)[i], err))
			return false;
	if (!provided_certs(cs, conf, files, n, err))
		return false;
	if (!cs->list.n)
		return true;
	for (size_t i = 0; i < JAVA; i++)
		if (!append_bundle(cs, bundles[i], err))
			return false;
	return add_to_java(cs, err);
}

bool certs_install(struct tree *t, const struct imgconf_certs *certs, const struct apk_file *files,
	size_t n, int64_t bde, struct err *err)
{
	struct certs cs = {.t = t, .bde = bde};
	if (!certs)
		return true;
	arena_init(&cs.a);
	bool ok = install(&cs, certs, files, n, err);
	arena_release(&cs.a);
	return ok;
}

static bool write_checksum(struct tree *t, const char *bundle, int64_t bde, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	uint8_t md[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	struct str bytes, path = str_of(bundle), name = path_base(path), dir = path_dir(path);
	const struct tree_node *n = tree_find(t, path, true);
	if (!n)
		return true;
	if (!tree_read(n, &a, MAX_BUNDLE, &bytes, err))
		return false;
	digest_once(DIGEST_SHA256, bytes.p, bytes.n, md);
	hex_encode(md, sizeof(md), hex);
	struct str sum = arena_strf(&a, "%.*s/.%.*s.sha256", STR_ARG(dir), STR_ARG(name));
	struct str text = arena_strf(&a, "%s  %.*s\n", hex, STR_ARG(name));
	return put_file(t, sum, text, 0444, bde, err);
}

bool certs_checksums(struct tree *t, int64_t bde, struct err *err)
{
	for (size_t i = 0; i < countof(bundles); i++)
		if (!write_checksum(t, bundles[i], bde, err))
			return false;
	return true;
}

static bool install_key(struct tree *t, const struct imgconf_key *k, int64_t bde, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf pem = BUF_INIT(BUF_NOLIMIT);
	struct pem_block block;
	const char *why = public_key(k->content.s, &a, &block);
	if (!why && !name_ok(k->name.s))
		why = "this cannot be the name of a key file";
	struct str path = arena_strf(&a, "etc/apk/keys/%.*s", STR_ARG(k->name.s));
	if (!why && tree_find(t, path, false))
		why = "a key of this name is installed already";
	if (why)
		return err_at(err, place(&k->content, k->at), "runtime key '%.*s': %s",
			STR_ARG(k->name.s), why);
	pem_write(S("PUBLIC KEY"), block.der, &pem);
	return put_file(t, path, buf_str(&pem), 0644, bde, err);
}

bool runtime_keyring(struct tree *t, const struct bind_list *keys, int64_t bde, struct err *err)
{
	for (size_t i = 0; i < keys->n; i++)
		if (!install_key(t, &((struct imgconf_key *)keys->v)[i], bde, err))
			return false;
	return true;
}
