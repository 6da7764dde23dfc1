#include "shared/apk/pkgread.h"

#include <sys/stat.h>

#include "shared/apk/pkginfo.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/vec.h"
#include "shared/os/fd.h"

#define FRONT_FIRST (128u << 10)	/* bytes tried first; most control sections fit */
#define FRONT_SLACK (1u << 20)		/* for signatures, and for what deflate cannot shrink */

static const char *const script_names[] = {
	".post-deinstall", ".post-install", ".post-upgrade", ".pre-deinstall",
	".pre-install", ".pre-upgrade", ".trigger",
};

static bool is_script(struct str name)
{
	for (size_t i = 0; i < countof(script_names); i++)
		if (str_is(name, script_names[i]))
			return true;
	return false;
}

/* Control section */

struct members {
	struct str *v;
	size_t n, cap;
};

static bool control_entry_ok(const struct tar_entry *e, struct arena *a, struct members *seen,
	struct err *err)
{
	if (e->type != '0' || !str_starts(e->name, S(".")) || str_chr(e->name, '/') >= 0 ||
	    str_starts(e->name, S(".SIGN.")))
		return err_set(err, EK_PARSE, "v2 package format error: '%.*s' in control section",
			STR_ARG(e->name));
	if (str_is(e->name, ".INSTALL"))
		return err_set(err, EK_PARSE, "v2 package format error: '.INSTALL' is obsolete");
	for (size_t i = 0; i < seen->n; i++)
		if (str_eq(seen->v[i], e->name))
			return err_set(err, EK_PARSE, "duplicate '%.*s' in control section",
				STR_ARG(e->name));
	vec_push(a, seen, arena_str(a, e->name));
	return true;
}

static bool version_ok(struct str v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] <= ' ' || v.p[i] == 0x7f || v.p[i] == '/')
			return false;
	return v.n > 0;
}

static bool info_ok(const struct apk_pkg *p, struct err *err)
{
	uint8_t md[SHA256_SIZE];

	if (!apk_name_ok(p->name))
		return err_set(err, EK_PARSE, "unusable package name '%.*s' in '.PKGINFO'",
			STR_ARG(p->name));
	if (!version_ok(p->version))
		return err_set(err, EK_PARSE, "unusable version '%.*s' in '.PKGINFO'",
			STR_ARG(p->version));
	if (p->datahash.n == 0)
		return err_set(err, EK_PARSE, "v2 package format error: no datahash in '.PKGINFO'");
	if (!hex_decode(p->datahash, md, sizeof(md)))
		return err_set(err, EK_PARSE, "malformed datahash '%.*s' in '.PKGINFO'",
			STR_ARG(p->datahash));
	return true;
}

bool apk_control_parse(struct str *tar, struct arena *a, struct apk_pkg *ret_info,
	struct apk_script **ret_scripts, size_t *ret_n, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	struct members seen = { 0 };
	struct str pkginfo = STR_NONE;
	VEC(struct apk_script) scripts = { 0 };
	uint64_t end = 0;
	int rc;

	mem_source_init(&src, *tar);
	tar_reader_init(&r, &src.src, "control section", &scratch);
	while ((rc = tar_next(&r, &e, err)) > 0) {
		if (!control_entry_ok(&e, &scratch, &seen, err))
			return false;
		if (r.at > tar->n || e.size > tar->n - r.at)
			return err_set(err, EK_PARSE, "unexpected end of control section");
		struct str content = str_sub(*tar, r.at, e.size);
		if (str_is(e.name, ".PKGINFO"))
			pkginfo = content;
		else if (is_script(e.name))
			vec_push(a, &scripts, (struct apk_script){
				.name = arena_str(a, e.name), .text = content, .mode = e.mode });
		end = r.at + e.size + tar_padding(e.size);
	}
	if (rc < 0 || (r.ended && !tar_finish(&r, err)))
		return false;
	if (!pkginfo.p)
		return err_set(err, EK_PARSE, "no '.PKGINFO' in control section");
	if (!pkginfo_parse(pkginfo, ".PKGINFO", a, ret_info, err) || !info_ok(ret_info, err))
		return false;
	*tar = str_sub(*tar, 0, end);
	*ret_scripts = scripts.v;
	*ret_n = scripts.n;
	return true;
}

/* Signature section */

static bool starts_with_signature(struct str tar)
{
	auto_arena struct arena scratch = ARENA_INIT;
	auto_err struct err ignored = ERR_INIT;
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;

	mem_source_init(&src, tar);
	tar_reader_init(&r, &src.src, "signature section", &scratch);
	return tar_next(&r, &e, &ignored) > 0 && str_starts(e.name, S(".SIGN."));
}

static bool signature_ok(struct str tar, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	int rc;

	mem_source_init(&src, tar);
	tar_reader_init(&r, &src.src, "signature section", &scratch);
	while ((rc = tar_next(&r, &e, err)) > 0) {
		if (e.type != '0' || !str_starts(e.name, S(".SIGN.")))
			return err_set(err, EK_PARSE, "'%.*s' in signature section",
				STR_ARG(e.name));
		if (e.size > APK_MAX_SIG)
			return err_set(err, EK_PARSE, "signature '%.*s' exceeds %d bytes",
				STR_ARG(e.name), APK_MAX_SIG);
	}
	if (rc == 0 && r.ended)
		return err_set(err, EK_PARSE, "signature section has an end-of-archive mark");
	return rc == 0;
}

/* Both */

static bool inflate(struct str in, const char *name, uint64_t max, struct arena *a,
	struct str *ret_gz, struct str *ret_tar, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(max);
	size_t used = 0;

	if (!gz_inflate_member(in, name, &out, &used, err))
		return false;
	*ret_gz = str_sub(in, 0, used);
	*ret_tar = str_n(arena_strndup(a, out.n ? out.p : "", out.n), out.n);
	return true;
}

static bool front_parse(struct str bytes, uint64_t max_control, struct arena *a,
	struct apk_front *f, struct err *err)
{
	struct str rest;

	f->bytes = bytes;
	if (!inflate(bytes, "control section", max_control, a, &f->control_gz, &f->control_tar,
		    err))
		return false;
	if (starts_with_signature(f->control_tar)) {
		f->sig_gz = f->control_gz;
		f->sig_tar = f->control_tar;
		rest = str_from(bytes, f->sig_gz.n);
		if (!signature_ok(f->sig_tar, err) ||
		    !inflate(rest, "control section", max_control, a, &f->control_gz,
			    &f->control_tar, err))
			return false;
	}
	f->data_start = f->sig_gz.n + f->control_gz.n;
	return true;
}

bool apk_front_read(int fd, uint64_t file_size, uint64_t max_control, struct arena *scratch,
	struct arena *a, struct apk_front *ret, struct err *err)
{
	uint64_t most = max_control + FRONT_SLACK < file_size ? max_control + FRONT_SLACK
							      : file_size;
	struct apk_front f = { 0 };

	if (file_size == 0)
		return err_set(err, EK_PARSE, "unexpected end of file: it is empty");
	for (uint64_t want = FRONT_FIRST;; want *= 8) {
		uint64_t n = want < most ? want : most;
		auto_err struct err one = ERR_INIT;
		char *bytes = arena_alloc(scratch, n);
		f = (struct apk_front){ 0 };
		if (!fd_pread_all(fd, bytes, n, 0, "package file", err))
			return false;
		if (str_starts(str_n(bytes, n), S("ADB"))) {
			(void)err_set(err, EK_PARSE, "a v3 package has no control section");
			return err_hint(err, "'apk mkndx' indexes v3 packages, 'apk adbsign' signs them");
		}
		if (front_parse(str_n(bytes, n), max_control, a, &f, &one))
			break;
		if (n == most)
			return err_move(err, &one);
	}
	if (!apk_control_parse(&f.control_tar, a, &f.info, &f.scripts, &f.n_scripts, err))
		return false;
	digest_once(DIGEST_SHA1, f.control_gz.p, f.control_gz.n, f.info.checksum);
	f.info.checksum_n = SHA1_SIZE;
	f.info.file_size = file_size;
	*ret = f;
	return true;
}

bool apk_read_control(int fd, const char *name, struct arena *a, struct apk_control *ret,
	struct err *err)
{
	struct apk_front f;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "cannot look at package '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EK_PARSE, "package '%s' is not a regular file", name);
	if (!apk_front_read(fd, (uint64_t)st.st_size, APK_MAX_CONTROL, a, a, &f, err))
		return err_wrap(err, "package '%s'", name);
	*ret = (struct apk_control){
		.info = f.info,
		.sig_tar = f.sig_tar,
		.control_tar = f.control_tar,
		.control_gz = f.control_gz,
		.sig_size = f.sig_gz.n,
		.control_size = f.control_gz.n,
	};
	return true;
}
