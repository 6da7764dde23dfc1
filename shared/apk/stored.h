#pragma once

#include "shared/apk/enttab.h"
#include "shared/apk/pkgread.h"

/* Packages as they lie in the store, for the files of this folder: a control object by checksum,
 * a data tar and its entry table by datahash. What does not check out is dropped and counts as
 * absent. */

/* Fills data, data_size, entries; false when it is not there. A data tar whose stamp is not the
 * recorded one is read whole and compared with its checksums first. */
bool stored_get_data(struct store *s, const uint8_t datahash[32], struct arena *a,
	struct apk_file *f) must_check;
/* Commits a data tar that was written to `new` and checked, with its table, then fills f. */
bool stored_put_data(struct store *s, struct store_new *new, const struct enttab *t,
	uint32_t crc, const uint8_t datahash[32], struct arena *a, struct apk_file *f,
	struct err *err) must_check;
/* Stores the control section under the checksum(s) it is asked for by; fills control, scripts
 * and the name of the data. */
bool stored_put_control(struct store *s, const struct apk_front *front,
	const struct apk_pkg *expect, struct apk_file *f, struct arena *a, struct err *err)
	must_check;
/* The same of a v3 package: its ADB, under the identity and that cut to 20 bytes. */
bool stored_put_adb(struct store *s, struct str payload, const uint8_t sha256[32],
	const struct apk_pkg *expect, struct apk_file *f, struct arena *a, struct err *err)
	must_check;
/* What a record promises: size, name, version, architecture. */
bool apk_info_agrees(const struct apk_pkg *got, const struct apk_pkg *want, struct err *err)
	must_check;
