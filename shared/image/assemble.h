#pragma once

#include "shared/apk/expand.h"
#include "shared/apk/install.h"
#include "shared/image/base.h"
#include "shared/image/imgconf.h"
#include "shared/rootfs/tree.h"

/* Description and packages to the tree of an image or guest: the steps of apko 3.2 in order. No
 * network, no disk beyond what the packages' blobs hold. */

struct assemble_req {
	const struct imgconf *conf; /* of this architecture: packages locked, archs = [this] */
	const struct apk_arch *arch;
	const struct keyring *keys;
	struct strs build_repos, runtime_repos; /* as image_repos gives them */
	struct strs world;                      /* atoms written to etc/apk/world, sorted */
	const struct apk_file *files;           /* verified packages in install order */
	size_t n_files;
	struct image_base base; /* below this layer; zero = none */
	bool header_owners, devices;
	int64_t epoch;  /* E of apko 3.3: mtime of scripts.tar members */
	bool epoch_set; /* SOURCE_DATE_EPOCH is set: bde is exactly it */
};
struct assemble_result {
	struct tree tree;
	struct install_result installed;
	int64_t build_date;   /* bde of apko 3.3 */
	struct str run_as;    /* numeric when the name is known */
	struct strs warnings; /* one line each, for the caller to log */
};
/* ret is the caller's to release with assemble_release. */
bool assemble(const struct assemble_req *req, struct arena *a, struct assemble_result *ret,
	struct err *err) must_check;
void assemble_release(struct assemble_result *r);
