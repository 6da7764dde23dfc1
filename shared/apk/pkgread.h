#pragma once

#include "shared/apk/expand.h"

/* The front of an .apk: signature and control sections, taken apart without storing anything.
 * Shared by the files that read packages. */

#define APK_MAX_CONTROL (10u << 20)
#define APK_MOST_CONTROL (1u << 30)	/* whatever is asked for: it is held in memory */
#define APK_MAX_DATA (16ull << 30)
#define APK_MAX_ENTRIES 4000000u
#define APK_MAX_ADB (256u << 20)	/* of a v3 package or index: held in memory */
#define APK_MAX_SIG 16384	/* bytes of one signature entry */

struct apk_front {
	/* In the scratch arena: */
	struct str bytes;		/* of the file, from its start: at least what follows */
	struct str sig_gz, control_gz;	/* slices of bytes; sig_gz empty: unsigned */
	/* In the other: */
	struct str sig_tar, control_tar;
	struct apk_pkg info;
	struct apk_script *scripts;
	size_t n_scripts;
	uint64_t data_start;
};
bool apk_front_read(int fd, uint64_t file_size, uint64_t max_control, struct arena *scratch,
	struct arena *a, struct apk_front *ret, struct err *err) must_check;

/* Model and scripts out of an inflated control section; *tar is cut at its end blocks. */
bool apk_control_parse(struct str *tar, struct arena *a, struct apk_pkg *ret_info,
	struct apk_script **ret_scripts, size_t *ret_n, struct err *err) must_check;
