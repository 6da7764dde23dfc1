#include "melange/build/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"
#include "shared/text/jwrite.h"

#define CLANG_FIRST 15
#define CLANG_LAST 42

bool workspace_make(const char *dir, const char *arch, struct arena *a, struct workspace *ret,
	struct err *err)
{
	ret->temporary = !dir;
	ret->dir = dir ? path_abs(a, arena_printf(a, "%s/%s", dir, arch))
		: dir_temp(a, "melange-workspace-", err);
	if (!ret->dir || (dir && !dir_make(ret->dir, 0755, err)))
		return false;
	ret->fd = open(ret->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->fd < 0)
		return err_sys(err, "cannot open the workspace '%s'", ret->dir);
	/* Steps may run as another user. */
	return dir || fchmod(ret->fd, 0755) == 0 ||
		err_sys(err, "cannot set the mode of '%s'", ret->dir);
}

void workspace_release(struct workspace *w, bool keep)
{
	auto_err struct err err = ERR_INIT;
	fd_close(&w->fd);
	if (w->dir && !keep && !dir_remove(w->dir, &err))
		log_warn("cannot remove the workspace: %s", err.msg);
}

/* One component down; -1 with ENOENT only when it is missing and not to be made. */
static int step_down(int dirfd, const char *name, bool make)
{
	bool made = make && mkdirat(dirfd, name, 0755) == 0;
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && made && fchmod(fd, 0755) != 0)
		fd_close(&fd);
	return fd;
}

bool workspace_open(const struct workspace *w, struct str path, bool make, int *ret_fd,
	struct err *err)
{
	auto_fd int at = fcntl(w->fd, F_DUPFD_CLOEXEC, 0);
	struct str rest = path, name;
	*ret_fd = -1;
	while (at >= 0 && str_next(&rest, '/', &name)) {
		if (!name.n)
			continue;
		char part[NAME_MAX + 1];
		snprintf(part, sizeof(part), "%.*s", STR_ARG(name));
		int next = step_down(at, part, make);
		fd_close(&at);
		at = next;
		if (at < 0 && errno == ENOENT && !make)
			return true;
	}
	if (at < 0) {
		err_sys(err, "cannot open the directory '%.*s' of the workspace", STR_ARG(path));
		return err_hint(err, "a step has put something else in its place");
	}
	*ret_fd = fd_steal(&at);
	return true;
}

bool workspace_make_out(const struct workspace *w, struct str name, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_fd int fd = -1;
	return workspace_open(w, arena_strf(&a, "melange-out/%.*s", STR_ARG(name)), true, &fd, err);
}

struct filling {
	const struct workspace *w;
	const struct ignore *ignore;
	const char *source;	/* absolute */
	struct arena arena;
};

static bool copy_source(const struct filling *f, const struct dir_entry *e, struct err *err)
{
	auto_fd int in = openat(e->dirfd, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), dir = -1;
	if (in < 0)
		return err_sys(err, "cannot open source file '%s/%s'", f->source, e->path);
	if (!workspace_open(f->w, path_dir(str_of(e->path)), true, &dir, err))
		return false;
	if (unlinkat(dir, e->name, 0) != 0 && errno != ENOENT)
		return err_sys(err, "cannot replace '%s' in the workspace", e->path);
	auto_fd int out = openat(dir, e->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		0600);
	if (out < 0)
		return err_sys(err, "cannot write '%s' in the workspace", e->path);
	return fd_copy(in, 0, out, e->st.st_size, e->path, err) &&
		(fchmod(out, e->st.st_mode & 0777) == 0 ||
			err_sys(err, "cannot set the mode of '%s'", e->path));
}

/* The workspace may lie below the source tree; it must not be copied into itself. */
static bool is_workspace(const struct filling *f, const struct dir_entry *e)
{
	struct stat st;
	return stat(f->w->dir, &st) == 0 && st.st_dev == e->st.st_dev && st.st_ino == e->st.st_ino;
}

static bool fill_entry(const struct dir_entry *e, bool *skip, void *user, struct err *err)
{
	struct filling *f = user;
	bool is_dir = S_ISDIR(e->st.st_mode);
	if (f->ignore && ignore_match(f->ignore, str_of(e->path), is_dir)) {
		*skip = true;
		return true;
	}
	if (is_dir) {
		*skip = is_workspace(f, e);
		return true;
	}
	return !S_ISREG(e->st.st_mode) || copy_source(f, e, err);
}

bool workspace_fill(const struct workspace *w, const char *source_dir, struct err *err)
{
	struct filling f = { .w = w, .arena = ARENA_INIT };
	auto_buf struct buf rules = BUF_INIT(1 << 20);
	f.source = path_abs(&f.arena, source_dir);
	const char *rules_path = arena_printf(&f.arena, "%s/.melangeignore", f.source);
	bool ok = true;
	if (access(rules_path, F_OK) == 0) {
		ok = file_read(rules_path, &rules, err);
		f.ignore = ok ? ignore_parse(buf_str(&rules), &f.arena) : NULL;
	}
	ok = ok && dir_walk(f.source, fill_entry, &f, err);
	arena_release(&f.arena);
	return ok;
}

static bool put(const struct workspace *w, struct arena *a, const char *path, struct str text,
	struct err *err)
{
	struct str name = path_base(str_of(path));
	auto_fd int dir = -1;
	return workspace_open(w, path_dir(str_of(path)), true, &dir, err) &&
	       file_write(arena_printf(a, "/proc/self/fd/%d/%.*s", dir, STR_ARG(name)), text.p,
		       text.n, 0644, err);
}

static void note_json(const struct workspace_note *n, struct buf *out)
{
	struct jwrite w;
	jw_init(&w, out, 0);
	jw_object(&w);
	jw_kstr(&w, "type", S("apk"));
	jw_kstr(&w, "os", str_of(n->ns));
	jw_kstr(&w, "name", str_of(n->name));
	jw_kstr(&w, "version", str_of(n->version));
	jw_kstr(&w, "architecture", str_of(n->arch));
	if (n->cpe)
		jw_kstr(&w, "appCpe", str_of(n->cpe));
	jw_object_end(&w);
}

/* The note as a C header, for what is not linked by a driver that reads the files above. */
static void note_header(struct str json, struct buf *out)
{
	buf_adds(out, "#ifndef MELANGE_PACKAGE_NOTE_H\n#define MELANGE_PACKAGE_NOTE_H\n"
		"#if defined(__ELF__)\n#define MELANGE_PACKAGE_NOTE_JSON \"");
	for (size_t i = 0; i < json.n; i++) {
		if (json.p[i] == '"' || json.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, json.p[i]);
	}
	buf_adds(out, "\"\n"
		"__attribute__((used, retain, section(\".note.package\"), aligned(4)))\n"
		"static const struct {\n"
		"\tunsigned int namesz;\n"
		"\tunsigned int descsz;\n"
		"\tunsigned int type;\n"
		"\tchar name[4];\n"
		"\tchar desc[sizeof(MELANGE_PACKAGE_NOTE_JSON)];\n"
		"} melange_package_note = {\n"
		"\tsizeof(\"FDO\"),\n"
		"\tsizeof(MELANGE_PACKAGE_NOTE_JSON),\n"
		"\t0xcafe1a7e,\n"
		"\t\"FDO\",\n"
		"\tMELANGE_PACKAGE_NOTE_JSON\n"
		"};\n#endif\n#endif\n");
}

static bool clang_files(const struct workspace *w, struct arena *a, struct err *err)
{
	static const char *const archs[] = { "aarch64", "x86_64" };
	static const char *const drivers[] = { "clang", "clang++" };
	for (int v = CLANG_FIRST; v <= CLANG_LAST; v++) {
		for (size_t i = 0; i < countof(archs) * countof(drivers); i++) {
			const char *name = arena_printf(a, "%s-unknown-linux-gnu-%s.cfg",
				archs[i / countof(drivers)], drivers[i % countof(drivers)]);
			struct str text = arena_strf(a, "@../../.melange.clang.cfg\n@/etc/clang-%d/%s\n",
				v, name);
			if (!put(w, a, arena_printf(a, ".config/clang-%d/%s", v, name), text, err))
				return false;
		}
	}
	return true;
}

bool workspace_compiler_files(const struct workspace *w, const struct workspace_note *note,
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf json = BUF_INIT(1 << 16), header = BUF_INIT(1 << 18);
	note_json(note, &json);
	note_header(buf_str(&json), &header);
	/* In a spec file and a clang configuration the text is split into words again. */
	struct str gcc = arena_strf(&a, "*link:\n+ %%{!r:--package-metadata=%s}\n", json.p);
	struct str clang = arena_strf(&a, "-Xlinker --package-metadata='%s'\n", json.p);
	return put(w, &a, ".melange.gcc.spec", gcc, err) &&
		put(w, &a, ".melange.clang.cfg", clang, err) && clang_files(w, &a, err) &&
		put(w, &a, ".melange.fdo.h", buf_str(&header), err);
}
