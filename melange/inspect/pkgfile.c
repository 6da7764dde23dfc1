#include "melange/inspect/pkgfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "melange/upstream/upstream.h"
#include "shared/net/url.h"
#include "shared/os/fd.h"

#define MAX_PACKAGE ((int64_t)16 << 30)

bool pkgfiles_init(struct pkgfiles *p, const char *store_dir, const struct strs *key_paths,
	struct arena *a, struct err *err)
{
	*p = (struct pkgfiles){ .arena = a };
	keyring_init(&p->keys, a);
	for (size_t i = 0; key_paths && i < key_paths->n; i++)
		if (!keyring_add_file(&p->keys, key_paths->v[i].p, err))
			return false;
	if (!auth_load(&p->auth, a, err) || !(p->store = store_open(store_dir, err)))
		return false;
	const struct http_opts ho = { .user_agent = "melange/" PROJECT_VERSION, .auth = &p->auth };
	return (p->http = http_new(&ho, err)) != NULL;
}

void pkgfiles_release(struct pkgfiles *p)
{
	http_free(p->http);
	store_close(p->store);
	keyring_release(&p->keys);
}

static int open_local(const char *path, struct err *err)
{
	struct stat st;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT) {
		(void)err_set(err, EK_NOTFOUND, "there is no package '%s'", path);
		return -1;
	}
	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)err_sys(err, "cannot open '%s'", path);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)err_set(err, EK_OTHER, "'%s' is not a package: not a regular file", path);
		return -1;
	}
	return fd_steal(&fd);
}

static bool is_url(const char *where)
{
	return str_starts(str_of(where), S("http://")) || str_starts(str_of(where), S("https://"));
}

bool pkgfile_open(struct pkgfiles *p, const char *where, struct pkgfile *ret, struct err *err)
{
	const struct apk_limits lim = { .keys = p->keys.n ? &p->keys : NULL };
	const char *shown = is_url(where) ? url_redact(str_of(where), p->arena) : where;
	auto_fd int fd = is_url(where) ? upstream_download(p->http, where, MAX_PACKAGE, p->arena, err)
		: open_local(where, err);
	if (fd < 0 || !apk_expand(fd, shown, NULL, &lim, p->store, p->arena, &ret->file, err))
		return false;
	tree_init(&ret->tree);
	ret->there = true;
	if (apk_file_tree(&ret->file, &ret->tree, err))
		return true;
	pkgfile_close(ret);
	return false;
}

void pkgfile_close(struct pkgfile *f)
{
	if (!f->there)
		return;
	tree_release(&f->tree);
	apk_file_close(&f->file);
	f->there = false;
}

bool pkgfile_control(const struct pkgfile *f, const char *name, struct str *ret, struct err *err)
{
	if (!apk_file_control(&f->file, name, ret, err))
		return false;
	return ret->p || err_set(err, EK_PARSE, "'%s' holds no %s", f->file.data.name, name);
}
