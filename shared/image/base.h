#pragma once

#include "shared/apk/arch.h"
#include "shared/apk/pkg.h"
#include "shared/image/imgconf.h"

/* What the image holds that another one is built on (apko 4.8): contents.baseimage.apkindex names
 * a directory with ARCH/APKINDEX, which is the installed database of that image. */

struct image_base {
	struct str installed;    /* as it is in the file, each record with its blank line */
	struct apk_index *index; /* its packages; NULL = there is no base image */
};
/* roots: as for imgconf_load. Without a base image *ret is zero. Texts live in the arena. */
bool image_base_load(const struct imgconf *c, const struct strs *roots, const struct apk_arch *arch,
	struct arena *a, struct image_base *ret, struct err *err) must_check;
/* The same of a database's text, which has to live as long; name is for messages. */
bool image_base_read(struct str text, const char *name, const struct apk_arch *arch,
	struct arena *a, struct image_base *ret, struct err *err) must_check;
/* Adds an atom for each of its packages, "NAME=VERSION": they belong to the image's world. */
void image_base_atoms(const struct image_base *b, struct arena *a, struct strs *list);
/* A package of the base image has the name. */
bool image_base_has(const struct image_base *b, struct str name);
/* The package, or one of the base image, provides the name, in whatever version. */
bool image_provides(const struct apk_pkg *p, struct str name);
bool image_base_provides(const struct image_base *b, struct str name);
