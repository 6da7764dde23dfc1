#pragma once

#include "shared/apk/arch.h"
#include "shared/rootfs/tree.h"

/* etc/ld.so.cache of glibc, as ldconfig would write it (apko 3.7), when there is an
 * etc/ld.so.conf: the libraries of /lib and of the directories that file and its includes name.
 * In the byte order of the architecture. An existing cache keeps its mode and mtime.
 *
 * What is no ELF library, or a broken one, is left out; a library of a machine whose flags are
 * not known is an error, as are more than 4096 configuration files or 100000 libraries. */
bool ldcache_write(struct tree *t, const struct apk_arch *arch, struct err *err) must_check;
