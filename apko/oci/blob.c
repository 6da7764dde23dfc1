#include "apko/oci/blob.h"

#include "shared/crypto/digest.h"

struct oci_desc oci_desc_of(const char *type, struct str bytes)
{
	struct oci_desc d = { .type = str_of(type), .size = bytes.n };
	uint8_t md[SHA256_SIZE];
	digest_once(DIGEST_SHA256, bytes.p, bytes.n, md);
	hex_encode(md, sizeof(md), d.hex);
	return d;
}

struct str oci_desc_digest(const struct oci_desc *d, struct arena *a)
{
	return arena_strf(a, "sha256:%s", d->hex);
}

void oci_desc_json(struct jwrite *w, const struct oci_desc *d)
{
	char digest[sizeof("sha256:") + 64] = "sha256:";
	for (size_t i = 0; i < 64; i++)
		digest[7 + i] = d->hex[i];
	jw_kstr(w, "mediaType", d->type);
	jw_kint(w, "size", (int64_t)d->size);
	jw_kstr(w, "digest", str_of(digest));
}

void oci_kvs_set(struct arena *a, struct oci_kvs *kvs, struct str key, struct str val)
{
	size_t i = 0;
	while (i < kvs->n && str_cmp(kvs->v[i].key, key) < 0)
		i++;
	if (i < kvs->n && str_eq(kvs->v[i].key, key)) {
		kvs->v[i].val = val;
		return;
	}
	vec_push(a, kvs, (struct oci_kv){ 0 });
	memmove(&kvs->v[i + 1], &kvs->v[i], (kvs->n - 1 - i) * sizeof(kvs->v[0]));
	kvs->v[i] = (struct oci_kv){ key, val };
}

struct str oci_kvs_get(const struct oci_kvs *kvs, struct str key)
{
	for (size_t i = 0; i < kvs->n; i++)
		if (str_eq(kvs->v[i].key, key))
			return kvs->v[i].val;
	return STR_NONE;
}

void oci_kvs_json(struct jwrite *w, const char *key, const struct oci_kvs *kvs)
{
	if (!kvs->n)
		return;
	jw_key(w, key);
	jw_object(w);
	for (size_t i = 0; i < kvs->n; i++) {
		jw_key_str(w, kvs->v[i].key);
		jw_str(w, kvs->v[i].val);
	}
	jw_object_end(w);
}
