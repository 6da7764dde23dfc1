#include "apko/oci/oindex.h"

#include <stdlib.h>
#include <string.h>

static int by_arch(const void *a, const void *b)
{
	const struct oci_image *x = a, *y = b;
	return strcmp(x->arch->oci, y->arch->oci);
}

void oci_images_sort(struct oci_image *imgs, size_t n)
{
	if (n)
		qsort(imgs, n, sizeof(imgs[0]), by_arch);
}

static void platform_json(struct jwrite *w, const struct oci_image *img)
{
	jw_key(w, "platform");
	jw_object(w);
	jw_kstr(w, "architecture", str_of(img->arch->os_arch));
	jw_kstr(w, "os", S("linux"));
	if (img->os_features.n) {
		jw_key(w, "os.features");
		jw_array(w);
		for (size_t i = 0; i < img->os_features.n; i++)
			jw_str(w, img->os_features.v[i]);
		jw_array_end(w);
	}
	jw_kstr_opt(w, "variant", str_of(img->arch->variant));
	jw_object_end(w);
}

void oci_index_write(const struct oci_image *imgs, size_t n, const struct oci_kvs *annotations,
	struct buf *out)
{
	struct jwrite w;
	jw_init(&w, out, 0);
	jw_object(&w);
	jw_kint(&w, "schemaVersion", 2);
	jw_kstr(&w, "mediaType", S(OCI_TYPE_INDEX));
	jw_key(&w, "manifests");
	jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		jw_object(&w);
		oci_desc_json(&w, &imgs[i].manifest);
		platform_json(&w, &imgs[i]);
		jw_kstr(&w, "artifactType", S(OCI_TYPE_CONFIG));
		jw_object_end(&w);
	}
	jw_array_end(&w);
	oci_kvs_json(&w, "annotations", annotations);
	jw_object_end(&w);
}
