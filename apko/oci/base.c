#include "apko/oci/base.h"

#include <string.h>
#include <sys/stat.h>

#include "shared/crypto/digest.h"
#include "shared/os/fd.h"
#include "shared/text/jread.h"

#define MAX_DOCUMENT (4u << 20)
#define MAX_LAYERS 1000
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"

struct reading {
	const char *dir;
	struct arena *a;
};

static bool read_desc(const struct jval *v, const char *name, struct oci_desc *ret,
	struct err *err)
{
	const struct jval *size = jget(v, "size");
	struct str digest = jget_str(v, "digest"), whole = digest;
	uint8_t md[SHA256_SIZE];
	if (!str_skip(&digest, S("sha256:")) || !hex_decode(digest, md, sizeof(md)))
		return err_set(err, EK_PARSE, "'%s': '%.*s' is no digest of the form sha256:HEX",
			name, STR_ARG(whole));
	if (!size || size->kind != JS_INT || size->i < 0)
		return err_set(err, EK_PARSE, "'%s': blob '%.*s' has no size", name,
			STR_ARG(whole));
	*ret = (struct oci_desc){ .type = jget_str(v, "mediaType"), .size = (uint64_t)size->i };
	hex_encode(md, sizeof(md), ret->hex);
	return true;
}

static const char *blob_path(struct reading *r, const struct oci_desc *d)
{
	return arena_printf(r->a, "%s/blobs/sha256/%s", r->dir, d->hex);
}

static bool read_text(struct reading *r, const char *path, struct str *ret, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_DOCUMENT);
	if (!file_read(path, &text, err))
		return false;
	*ret = arena_str(r->a, buf_str(&text));
	return true;
}

static bool read_blob(struct reading *r, const struct oci_desc *d, const char **ret_path,
	struct str *ret, struct err *err)
{
	const char *path = blob_path(r, d);
	struct str text;
	if (!read_text(r, path, &text, err))
		return false;
	struct oci_desc got = oci_desc_of("", text);
	if (strcmp(got.hex, d->hex) != 0)
		return err_set(err, EK_TRUST, "'%s' does not have the digest it is named by",
			path);
	*ret_path = path;
	*ret = text;
	return true;
}

static bool read_document(struct reading *r, const struct jval *desc, const char *name,
	const char **ret_path, struct jval **ret, struct err *err)
{
	struct oci_desc d;
	struct str text;
	return read_desc(desc, name, &d, err) && read_blob(r, &d, ret_path, &text, err) &&
		jread(text, *ret_path, r->a, ret, err);
}

static bool list_of(const struct jval *v, const char *key, const char *name,
	const struct jval **ret, struct err *err)
{
	const struct jval *list = jget(v, key);
	if (!list || list->kind != JS_ARRAY)
		return err_set(err, EK_PARSE, "'%s' has no list of %s", name, key);
	*ret = list;
	return true;
}

static bool is_index(const struct jval *desc)
{
	struct str type = jget_str(desc, "mediaType");
	return str_is(type, OCI_TYPE_INDEX) || str_is(type, DOCKER_LIST);
}

/* The list of manifests to choose from. */
static bool read_index(struct reading *r, const char **ret_name, const struct jval **ret,
	struct err *err)
{
	const char *name = arena_printf(r->a, "%s/index.json", r->dir);
	struct str text;
	struct jval *v;
	const struct jval *list = NULL;
	if (!read_text(r, name, &text, err) || !jread(text, name, r->a, &v, err) ||
		!list_of(v, "manifests", name, &list, err))
		return false;
	for (size_t i = 0; i < list->n; i++) {
		if (!is_index(list->items[i]))
			continue;
		if (!read_document(r, list->items[i], name, &name, &v, err) ||
			!list_of(v, "manifests", name, &list, err))
			return false;
		break;
	}
	*ret_name = name;
	*ret = list;
	return true;
}

static bool read_layers(struct reading *r, const struct jval *manifest, const char *name,
	struct oci_base *base, struct err *err)
{
	const struct jval *list = NULL;
	if (!list_of(manifest, "layers", name, &list, err))
		return false;
	if (list->n > MAX_LAYERS)
		return err_set(err, EK_PARSE, "'%s' has more than %d layers", name, MAX_LAYERS);
	base->layers = arena_array(r->a, struct oci_layer, list->n + 1);
	base->n_layers = list->n;
	for (size_t i = 0; i < list->n; i++) {
		struct oci_layer *l = &base->layers[i];
		struct stat st;
		if (!read_desc(list->items[i], name, &l->desc, err))
			return false;
		l->path = blob_path(r, &l->desc);
		l->foreign = true;
		if (stat(l->path, &st) < 0)
			return err_sys(err, "cannot look at layer '%s'", l->path);
		if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != l->desc.size)
			return err_set(err, EK_PARSE, "layer '%s' does not have its size",
				l->path);
	}
	return true;
}

static void read_annotations(struct reading *r, const struct jval *manifest,
	struct oci_base *base)
{
	const struct jval *v = jget(manifest, "annotations");
	for (size_t i = 0; v && v->kind == JS_OBJECT && i < v->n; i++)
		oci_kvs_set(r->a, &base->annotations, v->members[i].key, v->members[i].val->s);
}

/* Reads one manifest's image; *ret_fits tells whether it is the one looked for. */
static bool read_image(struct reading *r, const struct jval *desc, const char *index,
	const struct apk_arch *arch, struct oci_base *base, bool *ret_fits, struct err *err)
{
	const char *name, *config_name;
	struct jval *manifest;
	const struct jval *config;
	struct oci_desc d;
	struct str text;
	if (!read_desc(desc, index, &base->manifest, err) ||
		!read_document(r, desc, index, &name, &manifest, err))
		return false;
	config = jget(manifest, "config");
	if (!read_desc(config, name, &d, err) || !read_blob(r, &d, &config_name, &text, err) ||
		!oci_config_read(text, config_name, r->a, &base->config, err))
		return false;
	*ret_fits = str_is(base->config.arch, arch->os_arch);
	if (!*ret_fits)
		return true;
	read_annotations(r, manifest, base);
	if (!read_layers(r, manifest, name, base, err))
		return false;
	if (base->config.diff_ids.n != base->n_layers)
		return err_set(err, EK_PARSE, "'%s' has %zu layers, its configuration %zu", name,
			base->n_layers, base->config.diff_ids.n);
	return true;
}

bool oci_base_read(const char *dir, const struct apk_arch *arch, struct arena *a,
	struct oci_base *ret, struct err *err)
{
	struct reading r = { dir, a };
	const struct jval *list;
	const char *name;
	if (!read_index(&r, &name, &list, err))
		return false;
	for (size_t i = 0; i < list->n; i++) {
		struct oci_base base = { 0 };
		bool fits;
		if (is_index(list->items[i]))
			continue;
		if (!read_image(&r, list->items[i], name, arch, &base, &fits, err))
			return false;
		if (fits) {
			*ret = base;
			return true;
		}
	}
	return err_set(err, EK_NOTFOUND, "base image '%s' has no image for architecture '%s'", dir,
		arch->oci);
}
