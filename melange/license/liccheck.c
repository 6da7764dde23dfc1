#include "melange/license/liccheck.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "melange/license/licfiles.h"
#include "shared/base/log.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"

#define MAX_TEXT (1u << 20)

static bool read_text(int dirfd, const char *path, struct buf *ret, struct err *err)
{
	struct stat st;
	auto_fd int fd = path_open_in(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0, err);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(err, EK_OTHER, "'%s' is not a regular file", path);
	return fd_read_all(fd, path, ret, err);
}

static bool is_sure(const struct lic_match *m)
{
	return m->confidence >= LIC_SURE;
}

static void log_found(const struct lic_found *f)
{
	log_info("  %.*s: %s (%f%s) (%s)", STR_ARG(f->path), f->match.id, f->match.confidence,
		is_sure(&f->match) ? "" : " low-confidence", f->match.kind);
}

/* The text of a GNU licence is the same whether later ones may be chosen or not. */
static struct str text_name(struct str id)
{
	static const char *const grants[] = { "+", "-only", "-or-later" };
	for (size_t i = 0; i < countof(grants); i++)
		if (str_chop(&id, str_of(grants[i])))
			break;
	return id;
}

/* Whether an expression has the licence among its terms. */
static bool names(struct str expr, const char *id)
{
	struct str word;
	while (str_word(&expr, &word)) {
		while (str_skip(&word, S("(")))
			;
		while (str_chop(&word, S(")")))
			;
		if (str_eq(text_name(word), text_name(str_of(id))))
			return true;
	}
	return false;
}

static bool agrees(const struct copyright *c, const char *id)
{
	return names(c->license.s, id) || names(c->detection_override.s, id);
}

/* Against the entry of the same path, else any that has no path. */
static bool compare(const struct lic_found *f, const struct package *pkg)
{
	const struct copyright *list = pkg->copyright.v;
	bool known = false;
	for (size_t i = 0; i < pkg->copyright.n; i++) {
		if (list[i].license_path.s.n && str_eq(list[i].license_path.s, f->path)) {
			if (agrees(&list[i], f->match.id))
				return true;
			log_warn("  %.*s: configured as %.*s, detected as %s", STR_ARG(f->path),
				STR_ARG(list[i].license.s), f->match.id);
			return false;
		}
		known |= agrees(&list[i], f->match.id);
	}
	if (!known)
		log_warn("  %.*s: %s is not among the configured licences", STR_ARG(f->path),
			f->match.id);
	return known;
}

static void compare_all(struct lic_report *r, const struct package *pkg)
{
	log_info("checking gathered license information against the configuration");
	for (size_t i = 0; i < r->n; i++)
		if (is_sure(&r->v[i].match))
			r->n_differences += !compare(&r->v[i], pkg);
	if (r->n_differences)
		log_warn("%zu license differences detected", r->n_differences);
	else
		log_info("no license differences detected");
}

static void log_unsure(const struct lic_report *r)
{
	bool any = false;
	for (size_t i = 0; i < r->n; i++) {
		if (is_sure(&r->v[i].match))
			continue;
		if (!any)
			log_warn("following license files could not be confidently assessed:");
		any = true;
		log_warn("  %.*s: %s (%f) (%s)", STR_ARG(r->v[i].path), r->v[i].match.id,
			r->v[i].match.confidence, r->v[i].match.kind);
	}
	if (any)
		log_warn("could not identify some licenses, please check the configuration");
}

bool license_check(int dirfd, const char *name, const struct package *pkg, bool deep,
	struct arena *a, struct lic_report *ret, struct err *err)
{
	struct lic_files files = { 0 };
	struct lic_report r = { 0 };
	log_info("checking license information");
	if (!lic_find(dirfd, name, deep, a, &files, err))
		return false;
	for (size_t i = 0; i < files.n; i++) {
		auto_buf struct buf text = BUF_INIT(MAX_TEXT);
		auto_err struct err unread = ERR_INIT;
		if (!read_text(dirfd, files.v[i].path.p, &text, &unread)) {
			log_warn("%.*s is left out: %s", STR_ARG(files.v[i].path), unread.msg);
			continue;
		}
		struct lic_found f = { files.v[i].path, lic_identify(buf_str(&text)) };
		log_found(&f);
		vec_push(a, &r, f);
	}
	if (!files.n)
		log_info("no license files detected");
	if (r.n && pkg)
		compare_all(&r, pkg);
	log_unsure(&r);
	if (r.n)
		log_info("license information check complete");
	*ret = r;
	return true;
}
