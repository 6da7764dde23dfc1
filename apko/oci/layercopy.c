#include "apko/oci/layercopy.h"

#include <stdlib.h>
#include <string.h>

#include "shared/crypto/digest.h"
#include "shared/os/fd.h"

#define COPY_SIZE (256u << 10)

static bool copy(const struct oci_layer *l, int from, int to, const char *name, struct digest *hash,
	struct err *err)
{
	char *p = malloc(COPY_SIZE);
	if (!p)
		BUG("out of memory");
	bool ok = true;
	for (uint64_t at = 0; ok && at < l->desc.size;) {
		size_t n = l->desc.size - at < COPY_SIZE ? (size_t)(l->desc.size - at) : COPY_SIZE;
		ok = fd_pread_all(from, p, n, (off_t)at, l->path, err) &&
		     fd_write_all(to, p, n, name, err);
		digest_add(hash, p, n);
		at += n;
	}
	free(p);
	return ok;
}

bool oci_layer_copy(const struct oci_layer *l, int from, int to, const char *name, struct err *err)
{
	auto_digest struct digest hash = {0};
	uint8_t md[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	if (!l->foreign)
		return fd_copy(from, 0, to, (off_t)l->desc.size, name, err);
	digest_init(&hash, DIGEST_SHA256);
	if (!copy(l, from, to, name, &hash, err))
		return false;
	digest_final(&hash, md);
	hex_encode(md, sizeof(md), hex);
	return strcmp(hex, l->desc.hex) == 0 ||
	       err_set(err, EK_TRUST, "'%s' does not have the digest it is named by", l->path);
}
