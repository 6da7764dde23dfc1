#include "apko/oci/manifest.h"

void oci_manifest_write(const struct oci_image *img, const struct oci_kvs *annotations,
	struct buf *out)
{
	struct jwrite w;
	jw_init(&w, out, 0);
	jw_object(&w);
	jw_kint(&w, "schemaVersion", 2);
	jw_kstr(&w, "mediaType", S(OCI_TYPE_MANIFEST));
	jw_key(&w, "config");
	jw_object(&w);
	oci_desc_json(&w, &img->config);
	jw_object_end(&w);
	jw_key(&w, "layers");
	jw_array(&w);
	for (size_t i = 0; i < img->n_layers; i++) {
		jw_object(&w);
		oci_desc_json(&w, &img->layers[i].desc);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	oci_kvs_json(&w, "annotations", annotations);
	jw_object_end(&w);
}
