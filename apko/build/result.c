#include "apko/build/result.h"

#include <string.h>

#include "apko/layers/blobstamp.h"
#include "shared/os/fd.h"
#include "shared/text/jread.h"
#include "shared/text/jwrite.h"

#define MAX_RESULT (256u << 20)

static int64_t member_int(const struct jval *v, const char *key)
{
	const struct jval *m = jget(v, key);
	return m && m->kind == JS_INT ? m->i : 0;
}

/* A layer counts only if its blob is there as it was written. */
static bool load_layer(struct store *st, const struct jval *v, struct arena *a,
	struct oci_layer *ret)
{
	struct str hex = jget_str(v, "digest"), diff = jget_str(v, "diff");
	if (hex.n != 64 || diff.n != 64)
		return false;
	*ret = (struct oci_layer){ .desc = { .type = arena_str(a, jget_str(v, "type")),
		.size = (uint64_t)member_int(v, "size") } };
	memcpy(ret->desc.hex, hex.p, 64);
	memcpy(ret->diff_hex, diff.p, 64);
	if (!blobstamp_holds(st, ret->desc.hex, ret->desc.size))
		return false;
	ret->path = store_path(st, STORE_LAYER, ret->desc.hex, a);
	return true;
}

static bool load_layers(struct store *st, const struct jval *v, const struct oci_base *base,
	struct arena *a, struct oci_image *ret)
{
	const struct jval *layers = jget(v, "layers");
	if (!layers || layers->kind != JS_ARRAY)
		return false;
	ret->layers = arena_array(a, struct oci_layer, base->n_layers + layers->n + 1);
	for (size_t i = 0; i < base->n_layers; i++)
		ret->layers[ret->n_layers++] = base->layers[i];
	for (size_t i = 0; i < layers->n; i++)
		if (!load_layer(st, layers->items[i], a, &ret->layers[ret->n_layers++]))
			return false;
	return true;
}

static bool load_image(struct store *st, const struct jval *v, const struct apk_arch *arch,
	const struct oci_base *base, struct arena *a, struct oci_image *ret)
{
	const struct jval *features = jget(v, "os.features");
	struct str config = jget_str(v, "config"), manifest = jget_str(v, "manifest");
	if (config.n == 0 || manifest.n == 0 || !features || features->kind != JS_ARRAY)
		return false;
	*ret = (struct oci_image){ .arch = arch, .config_json = config, .manifest_json = manifest };
	ret->config = oci_desc_of(OCI_TYPE_CONFIG, config);
	ret->manifest = oci_desc_of(OCI_TYPE_MANIFEST, manifest);
	for (size_t i = 0; i < features->n; i++)
		strs_push(a, &ret->os_features, features->items[i]->s);
	return load_layers(st, v, base, a, ret);
}

bool result_load(struct store *st, const char *key, const struct apk_arch *arch,
	const struct oci_base *base, struct arena *a, struct built *ret, struct strs *ret_warnings)
{
	auto_err struct err ignored = ERR_INIT;
	auto_fd int fd = store_get(st, STORE_PLAN, key);
	auto_buf struct buf text = BUF_INIT(MAX_RESULT);
	struct jval *v;
	struct built b = { 0 };
	if (fd < 0)
		return false;
	if (!fd_read_all(fd, key, &text, &ignored) || !jread(buf_str(&text), key, a, &v, &ignored) ||
		!load_image(st, v, arch, base, a, &b.image)) {
		store_drop(st, STORE_PLAN, key);
		return false;
	}
	const struct jval *warnings = jget(v, "warnings");
	b.date = member_int(v, "date");
	b.sbom = jget_str(v, "sbom");
	for (size_t i = 0; warnings && i < warnings->n; i++)
		strs_push(a, ret_warnings, warnings->items[i]->s);
	*ret = b;
	return true;
}

static void write_texts(struct jwrite *w, const char *key, const struct strs *list)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < list->n; i++)
		jw_str(w, list->v[i]);
	jw_array_end(w);
}

static void write_layer(struct jwrite *w, const struct oci_layer *l)
{
	jw_object(w);
	jw_kstr(w, "type", l->desc.type);
	jw_kstr(w, "digest", str_of(l->desc.hex));
	jw_kstr(w, "diff", str_of(l->diff_hex));
	jw_kint(w, "size", (int64_t)l->desc.size);
	jw_object_end(w);
}

bool result_save(struct store *st, const char *key, const struct built *b,
	const struct oci_base *base, const struct strs *warnings, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(MAX_RESULT);
	struct jwrite writer, *w = &writer;
	jw_init(w, &out, 0);
	jw_object(w);
	jw_kstr(w, "config", b->image.config_json);
	jw_kstr(w, "manifest", b->image.manifest_json);
	jw_kint(w, "date", b->date);
	jw_kstr(w, "sbom", b->sbom);
	write_texts(w, "os.features", &b->image.os_features);
	jw_key(w, "layers");
	jw_array(w);
	for (size_t i = base->n_layers; i < b->image.n_layers; i++)
		write_layer(w, &b->image.layers[i]);
	jw_array_end(w);
	write_texts(w, "warnings", warnings);
	jw_object_end(w);
	return out.over || store_put(st, STORE_PLAN, key, out.p, out.n, err);
}
