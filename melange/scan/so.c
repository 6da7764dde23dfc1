#include "melange/scan/finder.h"

#include <ctype.h>

#include "melange/scan/content.h"
#include "shared/apk/version.h"

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
	return strs_has(&c->lib_dirs, scan_dir(path));
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

/* The file of that name in a library directory of the first package that has one. */
static struct tree_node *library(const struct scan_ctx *c, struct str base, struct arena *scratch)
{
	for (size_t i = 0; i < c->n_pkgs; i++) {
		for (size_t k = 0; k < c->lib_dirs.n; k++) {
			struct str path = arena_strf(scratch, "%.*s/%.*s",
				STR_ARG(c->lib_dirs.v[k]), STR_ARG(base));
			struct tree_node *n = tree_find(c->pkgs[i].tree, path, true);
			if (n && n->type == '0')
				return n;
		}
	}
	return NULL;
}

/* A link to a library needs it: that is how development packages depend on libraries. */
static void linked_library(struct scan_ctx *c, const struct tree_node *link)
{
	auto_arena struct arena scratch = ARENA_INIT;
	auto_err struct err unread = ERR_INIT;
	struct tree_node *target = library(c, scan_base(link->link), &scratch);
	struct elf e;
	if (!target || !elf_open_node(target, &scratch, &e, &unread))
		return;
	for (size_t i = 0; i < e.soname.n; i++)
		if (!from_host(e.soname.v[i]))
			scan_add(c, &c->runtime, "so:%.*s", STR_ARG(e.soname.v[i]));
}

static bool of_this_build(const struct scan_ctx *c, struct str pkg)
{
	for (size_t i = 0; i < c->n_pkgs; i++)
		if (str_is(pkg, c->pkgs[i].name))
			return true;
	return false;
}

/* A library at least as new as the one that was linked. */
static bool needs_version(struct scan_ctx *c, struct str so, struct err *err)
{
	const struct pkg_options *o = c->pkg->options;
	struct scan_lib lib = { 0 };
	if (!c->pkg->libs || (o && o->no_versioned_shlib_deps) ||
		str_starts(so, S("ld-linux-x86-64.so.")) || str_starts(so, S("ld-linux-aarch64.so.")))
		return true;
	if (!c->pkg->libs->find(c->pkg->libs->user, so, &lib) || of_this_build(c, lib.pkg)) {
		scan_add(c, &c->runtime, "so-ver:%.*s>=%s", STR_ARG(so), c->pkg->version);
		return true;
	}
	if (apk_version_cmp(lib.built, lib.installed) < 0)
		return err_set(err, EK_CONFLICT, "library '%.*s': package '%.*s' is installed in "
			"version %.*s, the newest in the indexes is %.*s\n"
			"hint: build with a repository that has the installed version", STR_ARG(so),
			STR_ARG(lib.pkg), STR_ARG(lib.installed), STR_ARG(lib.built));
	if (lib.so_ver.n)
		scan_add(c, &c->runtime, "so-ver:%.*s>=%.*s", STR_ARG(so), STR_ARG(lib.installed));
	return true;
}

static bool needs(struct scan_ctx *c, const struct elf *e, struct err *err)
{
	struct str interp = scan_base(e->interp);
	if (interp.n && str_skip(&interp, S("ld-musl")))
		scan_add(c, &c->runtime, "so:libc.musl%.*s", STR_ARG(interp));
	else if (interp.n)
		scan_add(c, &c->runtime, "so:%.*s", STR_ARG(interp));
	for (size_t i = 0; i < e->needed.n; i++) {
		struct str so = e->needed.v[i];
		if (str_find(so, S(".so.")) < 0 || from_host(so))
			continue;
		scan_add(c, &c->runtime, "so:%.*s", STR_ARG(so));
		if (!needs_version(c, so, err))
			return false;
	}
	return true;
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

#define MAX_GO_INFO (1u << 20)

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

static bool go_info(const struct elf *e, struct arena *a, struct str *ret, struct err *err)
{
	const struct elf_section *sec = elf_section(e, S(".go.buildinfo"));
	struct str bytes;
	uint64_t n;
	*ret = STR_NONE;
	if (!sec)
		return true;
	if (!elf_section_read(e, sec, 0, MAX_GO_INFO, a, &bytes, err))
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
static bool go_fips(struct scan_ctx *c, const struct elf *e, struct arena *a, struct err *err)
{
	static const char *const experiments[] = { "GOEXPERIMENT=boringcrypto",
		"GOEXPERIMENT=systemcrypto", "GOEXPERIMENT=opensslcrypto" };
	struct str info;
	if (!go_info(e, a, &info, err))
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

static bool visit(struct scan_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	auto_err struct err unread = ERR_INIT;
	auto_arena struct arena scratch = ARENA_INIT;
	auto_content struct content content = CONTENT_INIT;
	struct tree_node *file = n;
	struct elf e;
	if (n->type == '2') {
		if (str_find(path, S(".so")) >= 0)
			linked_library(c, n);
		file = tree_find(c->pkg->tree, path, true);
	}
	if (!file || file->type != '0')
		return true;
	if (!content_open(file, &content, &unread))
		return scan_unread(c, path, &unread);
	const struct elf_src src = content_elf(&content);
	if (!elf_open(&src, &scratch, &e, &unread))
		return unread.kind == EK_NONE || scan_unread(c, path, &unread);
	if (!needs(c, &e, err))
		return false;
	offers(c, &e, path);
	return go_fips(c, &e, &scratch, &unread) || scan_unread(c, path, &unread);
}

const struct scan_finder find_so = { .name = "so", .visit = visit };
