#include <stddef.h>
#include <stdint.h>

#include "melange/lint/lint.h"
#include "melange/scan/scan.h"
#include "shared/base/log.h"

/* One file whose first byte says where it stands; the finders and linters that read contents see
 * the rest. */

static const char *const paths[] = { "usr/lib/libx.so.1", "usr/bin/x", "usr/lib/pkgconfig/x.pc",
	"boot/vmlinuz", "usr/lib/modules/6/x.ko", "etc/ld.so.conf.d/x.conf", "opt/x.pc",
	"usr/local/sbin/x" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf json = BUF_INIT(1 << 20);
	struct dependencies declared = { 0 };
	struct scan_result r;
	struct tree t;
	if (size == 0)
		return 0;
	log_setup(LOG_ERROR, 2);
	tree_init(&t);
	const struct scan_pkg pkg = { .name = "p", .version = "1-r0", .tree = &t,
		.declared = &declared };
	const struct lint_req req = { .pkg = "p", .version = "1-r0", .arch = "x86_64", .tree = &t };
	struct str path = str_of(paths[data[0] % countof(paths)]);
	struct str bytes = str_n((const char *)data + 1, size - 1);
	if (tree_put(&t, path, bytes, 0755, &err) &&
		tree_symlink(&t, S("usr/lib/libx.so"), S("libx.so.1"), &err)) {
		if (!scan(&pkg, 1, 0, &a, &r, &err) || !lint_package(&req, &a, &json, &err))
			err_release(&err);
	}
	tree_release(&t);
	return 0;
}
