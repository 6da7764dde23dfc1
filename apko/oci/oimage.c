#include "apko/oci/oimage.h"

#include <string.h>

#include "apko/oci/manifest.h"
#include "apko/oci/words.h"
#include "shared/base/tstamp.h"

#define KEY(name) S("org.opencontainers.image." name)

static const struct {
	const char *key, *val;
} env_defaults[] = {
	{ "PATH", "/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin" },
	{ "SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt" },
};

static void set_all(struct arena *a, struct oci_kvs *to, const struct ykvs *from)
{
	for (size_t i = 0; from && i < from->n; i++)
		oci_kvs_set(a, to, from->v[i].key, from->v[i].val.s);
}

void oci_annotations(const struct imgconf *conf, const struct ykvs *cli, int64_t created,
	struct arena *a, struct oci_kvs *ret)
{
	struct oci_kvs out = { 0 };
	struct str url, hash;
	set_all(a, &out, &conf->annotations);
	set_all(a, &out, cli);
	if (str_cut(conf->vcs_url.s, '@', &url, &hash)) {
		oci_kvs_set(a, &out, KEY("source"), url);
		oci_kvs_set(a, &out, KEY("revision"), hash);
	}
	oci_kvs_set(a, &out, KEY("created"), str_of(tstamp_rfc3339(a, created)));
	*ret = out;
}

static bool has(const struct oci_kvs *kvs, struct str key)
{
	for (size_t i = 0; i < kvs->n; i++)
		if (str_eq(kvs->v[i].key, key))
			return true;
	return false;
}

static void set_env(const struct oci_image_req *req, struct arena *a, struct oci_kvs *env)
{
	set_all(a, env, &req->conf->environment);
	for (size_t i = 0; i < countof(env_defaults); i++)
		if (!has(env, str_of(env_defaults[i].key)))
			oci_kvs_set(a, env, str_of(env_defaults[i].key),
				str_of(env_defaults[i].val));
}

static struct str comment_of(const struct oci_image_req *req, struct arena *a)
{
	if (has(req->annotations, KEY("title")) && has(req->annotations, KEY("vendor"))) {
		struct str title = oci_kvs_get(req->annotations, KEY("title"));
		struct str vendor = oci_kvs_get(req->annotations, KEY("vendor"));
		return arena_strf(a, "%.*s by %.*s", STR_ARG(title), STR_ARG(vendor));
	}
	return req->n_layers == 1 ? S("This is an apko single-layer image") : STR_NONE;
}

static void add_layers(const struct oci_image_req *req, struct arena *a, struct oci_config *c)
{
	struct str comment = comment_of(req, a);
	for (size_t i = 0; i < req->n_layers; i++) {
		vec_push(a, &c->history,
			(struct oci_history){ .author = S("apko"), .created = c->created,
				.created_by = S("apko"), .comment = comment });
		strs_push(a, &c->diff_ids, arena_strf(a, "sha256:%s", req->layers[i].diff_hex));
	}
}

/* What the description says takes the place of what the base says. */
static bool set_commands(const struct imgconf *conf, struct arena *a, struct oci_config *c,
	struct err *err)
{
	struct strs words = { 0 };
	if (conf->cmd.s.n && !oci_words(conf->cmd.s, "cmd", a, &c->cmd, err))
		return false;
	if (conf->entrypoint.shell_fragment.s.n) {
		strs_push(a, &words, S("/bin/sh"));
		strs_push(a, &words, S("-c"));
		strs_push(a, &words, conf->entrypoint.shell_fragment.s);
		c->entrypoint = words;
		return true;
	}
	return !conf->entrypoint.command.s.n ||
		oci_words(conf->entrypoint.command.s, "entrypoint command", a, &c->entrypoint,
			err);
}

static void set_unless_empty(struct str *to, struct str from)
{
	if (from.n)
		*to = from;
}

static void set_plain(const struct oci_image_req *req, struct arena *a, struct oci_config *c)
{
	const struct imgconf *conf = req->conf;
	set_unless_empty(&c->user, req->run_as);
	set_unless_empty(&c->work_dir, conf->work_dir.s);
	set_unless_empty(&c->stop_signal, conf->stop_signal.s);
	for (size_t i = 0; i < conf->volumes.n; i++)
		strs_push(a, &c->volumes, conf->volumes.v[i].s);
}

/* Lists of the base are copied before anything is added to them. */
static struct oci_config start(const struct oci_image_req *req, struct arena *a)
{
	struct oci_config c = { 0 };
	if (!req->base)
		return c;
	c = req->base->config;
	c.history = (struct oci_histories){ 0 };
	c.diff_ids = c.volumes = (struct strs){ 0 };
	c.env = c.labels = (struct oci_kvs){ 0 };
	const struct oci_config *b = &req->base->config;
	for (size_t i = 0; i < b->history.n; i++)
		vec_push(a, &c.history, b->history.v[i]);
	for (size_t i = 0; i < b->diff_ids.n; i++)
		strs_push(a, &c.diff_ids, b->diff_ids.v[i]);
	for (size_t i = 0; i < b->volumes.n; i++)
		strs_push(a, &c.volumes, b->volumes.v[i]);
	for (size_t i = 0; i < b->env.n; i++)
		oci_kvs_set(a, &c.env, b->env.v[i].key, b->env.v[i].val);
	for (size_t i = 0; i < b->labels.n; i++)
		oci_kvs_set(a, &c.labels, b->labels.v[i].key, b->labels.v[i].val);
	return c;
}

static struct str text_of(struct buf *b, struct arena *a)
{
	struct str s = arena_str(a, buf_str(b));
	buf_release(b);
	return s;
}

static bool make_config(const struct oci_image_req *req, struct arena *a, struct oci_image *img,
	struct err *err)
{
	struct buf json = BUF_INIT(BUF_NOLIMIT);
	struct oci_config c = start(req, a);
	c.arch = str_of(req->arch->os_arch);
	c.variant = str_of(req->arch->variant);
	c.os = S("linux");
	c.author = S("github.com/chainguard-dev/apko");
	c.created = str_of(tstamp_rfc3339(a, req->created));
	add_layers(req, a, &c);
	set_env(req, a, &c.env);
	for (size_t i = 0; i < req->annotations->n; i++)
		oci_kvs_set(a, &c.labels, req->annotations->v[i].key, req->annotations->v[i].val);
	set_plain(req, a, &c);
	if (!set_commands(req->conf, a, &c, err))
		return false;
	oci_config_write(&c, a, &json);
	img->config_json = text_of(&json, a);
	img->config = oci_desc_of(OCI_TYPE_CONFIG, img->config_json);
	img->os_features = c.os_features;
	return true;
}

static void join_layers(const struct oci_image_req *req, struct arena *a, struct oci_image *img)
{
	size_t below = req->base ? req->base->n_layers : 0;
	img->n_layers = below + req->n_layers;
	img->layers = arena_array(a, struct oci_layer, img->n_layers + 1);
	if (below)
		memcpy(img->layers, req->base->layers, below * sizeof(img->layers[0]));
	if (req->n_layers)
		memcpy(img->layers + below, req->layers,
			req->n_layers * sizeof(img->layers[0]));
}

bool oci_image_make(const struct oci_image_req *req, struct arena *a, struct oci_image *ret,
	struct err *err)
{
	struct buf json = BUF_INIT(BUF_NOLIMIT);
	struct oci_image img = { .arch = req->arch };
	struct oci_kvs annotations = { 0 };
	if (!make_config(req, a, &img, err))
		return false;
	join_layers(req, a, &img);
	for (size_t i = 0; req->base && i < req->base->annotations.n; i++)
		oci_kvs_set(a, &annotations, req->base->annotations.v[i].key,
			req->base->annotations.v[i].val);
	for (size_t i = 0; i < req->annotations->n; i++)
		oci_kvs_set(a, &annotations, req->annotations->v[i].key,
			req->annotations->v[i].val);
	oci_manifest_write(&img, &annotations, &json);
	img.manifest_json = text_of(&json, a);
	img.manifest = oci_desc_of(OCI_TYPE_MANIFEST, img.manifest_json);
	*ret = img;
	return true;
}
