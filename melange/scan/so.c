#include "melange/scan/finder.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "shared/os/fd.h"
#include "shared/rootfs/elf.h"

/* Shared objects and programs (melange-build 4.2). */

/* Libraries of a host's graphics driver: never provided, never required. */
static const char *const host_libs[] = { "libEGL_nvidia.so.1", "libGLESv1_CM_nvidia.so.1",
	"libGLESv2_nvidia.so.1", "libGLX_nvidia.so.1", "libcuda.so.1", "libcudadebugger.so.1",
	"libnvcuvid.so.1", "libnvoptix.so.1" };
static const char *const nvidia_libs[] = { "allocator", "cfg", "eglcore", "encode", "fbc", "glcore",
	"glsi", "glvkspirv", "gpucomp", "ml", "ngx", "nvvm", "opencl", "opticalflow",
	"pkcs11-openssl3", "pkcs11", "ptxjitcompiler", "rtcore", "tls" };

static bool from_host(struct str soname)
{
	for (size_t i = 0; i < countof(host_libs); i++)
		if (str_is(soname, host_libs[i]))
			return true;
	if (!str_skip(&soname, S("libnvidia-")) || !str_chop(&soname, S(".so.1")))
		return false;
	for (size_t i = 0; i < countof(nvidia_libs); i++)
		if (str_is(soname, nvidia_libs[i]))
			return true;
	return false;
}

static bool in_lib_dir(const struct scan_ctx *c, struct str path)
{
	long slash = str_rchr(path, '/');
	return strs_has(&c->lib_dirs, str_sub(path, 0, slash < 0 ? 0 : (size_t)slash));
}

/* What stands behind ".so." up to a next ".so.", when it is digits and dots; else "0". */
static struct str lib_version(struct str soname)
{
	long at = str_find(soname, S(".so."));
	if (at < 0)
		return S("0");
	struct str v = str_from(soname, (size_t)at + 4);
	long next = str_find(v, S(".so."));
	if (next >= 0)
		v = str_sub(v, 0, (size_t)next);
	for (size_t i = 0; i < v.n; i++)
		if (!isdigit((unsigned char)v.p[i]) && v.p[i] != '.')
			return S("0");
	return v.n ? v : S("0");
}

/* A link to a library needs it: that is how development packages depend on libraries. */
static bool linked_library(struct scan_ctx *c, const struct tree_node *n, struct err *err)
{
	struct str base = scan_base(n->link);
	for (size_t i = 0; i < c->n_pkgs; i++) {
		for (size_t k = 0; k < c->lib_dirs.n; k++) {
			struct str path = arena_strf(c->arena, "%.*s/%.*s", STR_ARG(c->lib_dirs.v[k]),
				STR_ARG(base));
			struct tree_node *target = tree_find(c->pkgs[i].tree, path, true);
			struct elf e;
			if (!target || target->type != '0')
				continue;
			if (!elf_open_node(target, c->arena, &e, err)) {
				err_release(err);
				return true;
			}
			for (size_t s = 0; s < e.soname.n; s++)
				if (!from_host(e.soname.v[s]))
					scan_add(c, &c->runtime, "so:%.*s", STR_ARG(e.soname.v[s]));
			return true;
		}
	}
	return true;
}

static void needs(struct scan_ctx *c, const struct elf *e)
{
	struct str interp = scan_base(e->interp);
	if (e->has_interp && interp.n) {
		if (str_skip(&interp, S("ld-musl")))
			scan_add(c, &c->runtime, "so:libc.musl%.*s", STR_ARG(interp));
		else
			scan_add(c, &c->runtime, "so:%.*s", STR_ARG(interp));
	}
	for (size_t i = 0; i < e->needed.n; i++)
		if (str_find(e->needed.v[i], S(".so.")) >= 0 && !from_host(e->needed.v[i]))
			scan_add(c, &c->runtime, "so:%.*s", STR_ARG(e->needed.v[i]));
}

static void offers(struct scan_ctx *c, const struct elf *e, struct str path)
{
	struct str base = scan_base(path);
	if (e->has_interp && str_find(base, S(".so.")) < 0 && !str_ends(base, S(".so")))
		return;
	struct strs *to = in_lib_dir(c, path) ? &c->provides : &c->vendored;
	for (size_t i = 0; i < e->soname.n; i++) {
		struct str so = e->soname.v[i];
		if (from_host(so))
			continue;
		scan_add(c, to, "so:%.*s=%.*s", STR_ARG(so), STR_ARG(lib_version(so)));
		scan_add(c, to, "so-ver:%.*s=%s", STR_ARG(so), c->pkg->version);
	}
}

/* Go's build settings: lines "build<TAB>KEY=VALUE" of the module text in .go.buildinfo. */
static bool setting(struct str info, const char *want)
{
	struct str line;
	while (str_next(&info, '\n', &line))
		if (str_skip(&line, S("build\t")) && str_is(line, want))
			return true;
	return false;
}

static bool varint(struct str *s, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; s->n && shift < 63; shift += 7) {
		unsigned char b = (unsigned char)s->p[0];
		*s = str_from(*s, 1);
		*ret |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return *ret <= s->n;
	}
	return false;
}

static bool go_info(struct scan_ctx *c, const struct elf *e, struct str *ret, struct err *err)
{
	const struct elf_section *sec = elf_section(e, S(".go.buildinfo"));
	struct str bytes;
	uint64_t n;
	*ret = STR_NONE;
	if (!sec)
		return true;
	if (!elf_section_read(e, sec, 0, 1 << 20, c->arena, &bytes, err))
		return false;
	if (bytes.n < 33 || !str_starts(bytes, S("\xff Go buildinf:")) || !(bytes.p[15] & 2))
		return true;
	struct str rest = str_from(bytes, 32);
	if (!varint(&rest, &n))
		return true;
	rest = str_from(rest, n);
	if (varint(&rest, &n) && n >= 32)
		*ret = str_sub(rest, 16, n - 32);
	return true;
}

/* Go programs that take their cryptography from OpenSSL need it configured and present. */
static bool go_fips(struct scan_ctx *c, const struct elf *e, struct err *err)
{
	static const char *const experiments[] = { "GOEXPERIMENT=boringcrypto",
		"GOEXPERIMENT=systemcrypto", "GOEXPERIMENT=opensslcrypto" };
	struct str info;
	if (!go_info(c, e, &info, err))
		return false;
	bool fips = setting(info, "microsoft_systemcrypto=1");
	for (size_t i = 0; i < countof(experiments); i++)
		fips |= setting(info, "CGO_ENABLED=1") && setting(info, experiments[i]);
	if (fips) {
		scan_add(c, &c->runtime, "openssl-config-fipshardened");
		scan_add(c, &c->runtime, "so:libcrypto.so.3");
	}
	return true;
}

/* A file's content, open while its sections are looked at. */
struct content {
	const struct tree_body *body;
	int fd;
};

static bool open_content(const struct tree_node *file, struct content *ret, struct err *err)
{
	ret->body = file->body;
	if (file->body->bytes || file->body->blob)
		return true;
	ret->fd = openat(file->body->dirfd, file->body->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return ret->fd >= 0 || err_sys(err, "cannot open '%s'", file->body->path);
}

static void close_content(struct content *c)
{
	fd_close(&c->fd);
}

static bool read_content(void *user, void *p, size_t n, uint64_t at, struct err *err)
{
	const struct content *c = user;
	if (c->body->bytes) {
		memcpy(p, c->body->bytes + at, n);
		return true;
	}
	if (c->body->blob)
		return fd_pread_all(c->body->blob->fd, p, n, (off_t)(c->body->off + at),
			c->body->blob->name, err);
	return fd_pread_all(c->fd, p, n, (off_t)at, c->body->path, err);
}

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	struct tree_node *file = n;
	if (n->type == '2') {
		if (str_find(path, S(".so")) >= 0 && !linked_library(c, n, err))
			return false;
		file = tree_find(c->pkg->tree, path, true);
	}
	if (!file || file->type != '0')
		return true;
	auto_err struct err bad = ERR_INIT;
	struct elf e;
	struct content content = { .fd = -1 };
	if (!open_content(file, &content, err))
		return false;
	const struct elf_src src = { read_content, &content, file->body->size };
	bool ok = elf_open(&src, c->arena, &e, &bad);
	if (ok) {
		needs(c, &e);
		offers(c, &e, path);
		ok = go_fips(c, &e, &bad);
	}
	close_content(&content);
	if (!ok) {
		if (bad.kind != EK_NONE)
			scan_add(c, &c->warnings, "%.*s: %s", STR_ARG(path), bad.msg);
	}
	return true;
}

const struct scan_finder find_so = { "so", visit };
