#pragma once

#include "shared/base/str.h"

/* Architecture names: apk's, OCI's and the triplets made of them (apko 2.2, melange-config 2.2).
 * The order of apk_archs is that of "all". */

struct apk_arch {
	const char *apk;	/* "x86_64" */
	const char *oci;	/* "amd64", "arm/v7": as written in configurations */
	const char *os_arch;	/* platform.architecture: "arm" */
	const char *variant;	/* "v7" or NULL */
	const char *goarch;	/* "amd64", "arm" */
	const char *gnu;	/* "x86_64-pc-linux-%s", %s = libc flavour */
	const char *rust;
};
#define APK_ARCHS 9
extern const struct apk_arch apk_archs[APK_ARCHS];

/* By apk or OCI spelling; NULL if unknown. */
const struct apk_arch *apk_arch_find(struct str name);
const struct apk_arch *apk_arch_host(void);
