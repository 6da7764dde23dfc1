#include "shared/apk/pkgwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "shared/apk/keyring.h"
#include "shared/archive/gz.h"
#include "shared/archive/splice.h"
#include "shared/archive/tar.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"
#include "shared/os/proc.h"

#define RUN_SIZE (1u << 20)
#define MAX_RUN ((size_t)256 << 20)	/* headers with many large attributes */
#define WINDOW 24			/* runs in memory at once, deflated */
#define HASH_STEP (256u << 10)
#define MAX_CONTROL ((size_t)64 << 20)
#define CONTROL_LEVEL 9

/* A part of the data section that is deflated by itself: entries with their contents, or, with
 * n 0, a piece of the content of one big file (whose header ends the run before). */
struct run {
	size_t first, n;
	uint64_t off, len;
	bool last;		/* end blocks follow */
};
struct runs {
	struct run *v;
	size_t n, cap;
};

/* What a thread keeps between runs. */
struct scratch {
	struct splice_enc *enc;
	struct buf raw, file;
};

struct writer {
	const struct pkgwrite *w;
	struct runs runs;
	struct scratch *scratch;
	unsigned width;
};

struct task {
	struct job job;
	struct writer *writer;
	const struct run *run;
	struct buf out;
	struct splice_piece piece;
};

static bool is_big(const struct pkgwrite_entry *e)
{
	return e->type == '0' && e->size > RUN_SIZE;
}

static void cut_file(struct runs *runs, struct arena *a, size_t i, uint64_t size)
{
	for (uint64_t off = 0; off < size; off += RUN_SIZE) {
		uint64_t len = size - off < RUN_SIZE ? size - off : RUN_SIZE;
		vec_push(a, runs, (struct run){ .first = i, .off = off, .len = len });
	}
}

/* Cuts depend on the entries' sizes only. */
static void cut(struct runs *runs, struct arena *a, const struct pkgwrite_entry *e, size_t n)
{
	struct run run = { 0 };
	uint64_t size = 0;
	for (size_t i = 0; i < n; i++) {
		bool big = is_big(&e[i]);
		run.n++;
		size += 1536 + (e[i].type == '0' && !big ? e[i].size : 0);
		if (!big && size < RUN_SIZE)
			continue;
		vec_push(a, runs, run);
		if (big)
			cut_file(runs, a, i, e[i].size);
		run = (struct run){ .first = i + 1 };
		size = 0;
	}
	if (run.n || !runs->n)
		vec_push(a, runs, run);
	runs->v[runs->n - 1].last = true;
}

static bool changed(const struct pkgwrite_entry *e, struct err *err)
{
	return err_set(err, EK_OTHER, "'%.*s' changed its size while it was packaged",
		STR_ARG(e->name));
}

static bool open_content(const struct pkgwrite_entry *e, int *ret_fd, struct err *err)
{
	auto_fd int fd = path_open_in(e->dirfd, e->path,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, err);
	struct stat st;
	if (fd < 0)
		return err_wrap(err, "packaging '%.*s'", STR_ARG(e->name));
	if (fstat(fd, &st))
		return err_sys(err, "cannot read '%.*s'", STR_ARG(e->name));
	if (!S_ISREG(st.st_mode))
		return err_set(err, EK_OTHER, "'%.*s' is no longer a regular file",
			STR_ARG(e->name));
	if ((uint64_t)st.st_size != e->size)
		return changed(e, err);
	*ret_fd = fd_steal(&fd);
	return true;
}

/* Up to n bytes at off; short only at the end of the file. */
static bool read_at(int fd, const struct pkgwrite_entry *e, char *p, size_t n, uint64_t off,
	size_t *ret_n, struct err *err)
{
	size_t got = 0;
	while (got < n) {
		ssize_t r = pread(fd, p + got, n - got, (off_t)(off + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(err, "cannot read '%.*s'", STR_ARG(e->name));
		if (!r)
			break;
		got += (size_t)r;
	}
	*ret_n = got;
	return true;
}

/* Appends bytes [off, off+len) of the content; at its end, checks that it is the end. */
static bool add_content(const struct pkgwrite_entry *e, uint64_t off, uint64_t len,
	struct buf *out, struct err *err)
{
	if (e->bytes) {
		buf_add(out, e->bytes + off, len);
		return true;
	}
	auto_fd int fd = -1;
	size_t got, want = len + (off + len == e->size);
	char *p = buf_room(out, want);
	if (!p)
		return err_set(err, EK_OTHER, "'%.*s' is too large", STR_ARG(e->name));
	if (!open_content(e, &fd, err) || !read_at(fd, e, p, want, off, &got, err))
		return false;
	if (got != len)
		return changed(e, err);
	out->n += len;
	return true;
}

/* SHA-1 of a content that is not kept. */
static bool hash_content(const struct pkgwrite_entry *e, struct buf *step, uint8_t ret[20],
	struct err *err)
{
	if (e->bytes) {
		digest_once(DIGEST_SHA1, e->bytes, e->size, ret);
		return true;
	}
	auto_digest struct digest d = { 0 };
	auto_fd int fd = -1;
	uint64_t at = 0;
	size_t got;
	buf_clear(step);
	char *p = buf_room(step, HASH_STEP);
	if (!p || !open_content(e, &fd, err))
		return false;
	digest_init(&d, DIGEST_SHA1);
	do {
		if (!read_at(fd, e, p, HASH_STEP, at, &got, err))
			return false;
		digest_add(&d, p, got);
		at += got;
	} while (got == HASH_STEP);
	if (at != e->size)
		return changed(e, err);
	digest_final(&d, ret);
	return true;
}

static bool add_header(const struct pkgwrite *w, const struct pkgwrite_entry *e,
	const uint8_t *sha1, struct buf *out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	char hex[2 * SHA1_SIZE + 1];
	struct tar_entry t = {
		.name = e->name, .type = e->type, .mode = e->mode, .uid = e->uid, .gid = e->gid,
		.size = e->type == '0' ? e->size : 0, .mtime = w->mtime, .link = e->link,
		.uname = e->uname, .gname = e->gname, .major = e->major, .minor = e->minor,
	};
	if (sha1) {
		hex_encode(sha1, SHA1_SIZE, hex);
		vec_push(&a, &t.pax,
			(struct tar_pax){ S("APK-TOOLS.checksum.SHA1"), str_n(hex, sizeof(hex) - 1) });
	}
	for (size_t i = 0; i < e->n_xattrs; i++) {
		const struct tree_xattr *x = &e->xattrs[i];
		struct str key = arena_strf(&a, "SCHILY.xattr.%.*s", STR_ARG(x->name));
		vec_push(&a, &t.pax, (struct tar_pax){ key, x->val });
	}
	return tar_header(&t, out, err);
}

static bool add_file(const struct pkgwrite *w, const struct pkgwrite_entry *e, struct scratch *s,
	struct err *err)
{
	uint8_t sha1[SHA1_SIZE];
	if (is_big(e) || e->type == '1')
		return hash_content(e, &s->file, sha1, err) &&
		       add_header(w, e, sha1, &s->raw, err);
	buf_clear(&s->file);
	if (!add_content(e, 0, e->size, &s->file, err))
		return false;
	digest_once(DIGEST_SHA1, s->file.p, s->file.n, sha1);
	if (!add_header(w, e, sha1, &s->raw, err))
		return false;
	buf_addstr(&s->raw, buf_str(&s->file));
	buf_addzero(&s->raw, tar_padding(e->size));
	return true;
}

static bool add_entry(const struct pkgwrite *w, const struct pkgwrite_entry *e, struct scratch *s,
	struct err *err)
{
	uint8_t sha1[SHA1_SIZE];
	switch (e->type) {
	case '0':
	case '1':
		return add_file(w, e, s, err);
	case '2':
		digest_once(DIGEST_SHA1, e->link.p, e->link.n, sha1);
		return add_header(w, e, sha1, &s->raw, err);
	default:
		return add_header(w, e, NULL, &s->raw, err);
	}
}

static bool fill(const struct pkgwrite *w, const struct run *run, struct scratch *s,
	struct err *err)
{
	const struct pkgwrite_entry *e = &w->entries[run->first];
	buf_clear(&s->raw);
	if (run->len) {
		if (!add_content(e, run->off, run->len, &s->raw, err))
			return false;
		if (run->off + run->len == e->size)
			buf_addzero(&s->raw, tar_padding(e->size));
	}
	for (size_t i = 0; i < run->n; i++)
		if (!add_entry(w, &e[i], s, err))
			return false;
	if (run->last)
		buf_addzero(&s->raw, TAR_END_SIZE);
	return s->raw.over ? err_set(err, EK_OTHER, "headers of '%.*s' are too large",
				     STR_ARG(e->name))
			   : true;
}

static bool run_task(struct job *job, struct err *err)
{
	struct task *t = (struct task *)job;
	struct scratch *s = &t->writer->scratch[pool_slot()];
	if (!s->enc)
		s->enc = splice_enc_new(SPLICE_LEVEL_PACKAGE);
	buf_clear(&t->out);
	return fill(t->writer->w, t->run, s, err) &&
	       splice_deflate(s->enc, s->raw.p, s->raw.n, &t->out, &t->piece, err);
}

static void submit(struct writer *wr, struct task *tasks, size_t i)
{
	struct task *t = &tasks[i % WINDOW];
	t->job = (struct job){ .run = run_task };
	t->run = &wr->runs.v[i];
	pool_submit(wr->w->pool, &t->job);
}

static bool join_runs(struct writer *wr, struct task *tasks, size_t *submitted, size_t *joined,
	struct splice_join *j, struct err *err)
{
	for (; *joined < wr->runs.n; ++*joined) {
		for (; *submitted < wr->runs.n && *submitted - *joined < WINDOW; ++*submitted)
			submit(wr, tasks, *submitted);
		struct task *t = &tasks[*joined % WINDOW];
		if (!pool_wait(wr->w->pool, &t->job, err)) {
			++*joined;
			return false;
		}
		if (!splice_add(j, &t->piece, t->out.p, err) || !proc_check(err)) {
			++*joined;
			return false;
		}
	}
	return true;
}

static bool write_runs(struct writer *wr, struct sink *out, struct err *err)
{
	struct task *tasks = calloc(WINDOW, sizeof(*tasks));
	struct splice_join j;
	size_t submitted = 0, joined = 0;
	if (!tasks)
		BUG("out of memory");
	for (size_t i = 0; i < WINDOW; i++) {
		tasks[i].writer = wr;
		buf_init(&tasks[i].out, MAX_RUN * 2);
	}
	bool ok = splice_begin(&j, out, err) &&
		  join_runs(wr, tasks, &submitted, &joined, &j, err) && splice_end(&j, err);
	for (; joined < submitted; joined++) {
		auto_err struct err ignored = ERR_INIT;
		(void)!pool_wait(wr->w->pool, &tasks[joined % WINDOW].job, &ignored);
	}
	for (size_t i = 0; i < WINDOW; i++)
		buf_release(&tasks[i].out);
	free(tasks);
	return ok;
}

static void scratch_init(struct writer *wr, struct arena *a)
{
	wr->width = pool_width(wr->w->pool);
	wr->scratch = arena_array(a, struct scratch, wr->width);
	for (unsigned i = 0; i < wr->width; i++) {
		buf_init(&wr->scratch[i].raw, MAX_RUN);
		buf_init(&wr->scratch[i].file, RUN_SIZE * 2);
	}
}

static void scratch_release(struct writer *wr)
{
	for (unsigned i = 0; i < wr->width; i++) {
		splice_enc_free(wr->scratch[i].enc);
		buf_release(&wr->scratch[i].raw);
		buf_release(&wr->scratch[i].file);
	}
}

static bool write_data(const struct pkgwrite *w, int fd, uint64_t *ret_size, uint8_t ret_md[32],
	struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct writer wr = { .w = w };
	struct fd_sink file;
	struct hash_sink hash;
	cut(&wr.runs, &a, w->entries, w->n);
	scratch_init(&wr, &a);
	fd_sink_init(&file, fd, w->path);
	hash_sink_init(&hash, DIGEST_SHA256, &file.sink);
	bool ok = write_runs(&wr, &hash.sink, err);
	if (ok) {
		digest_final(&hash.d, ret_md);
		*ret_size = hash.n;
	}
	digest_release(&hash.d);
	scratch_release(&wr);
	return ok;
}

bool pkgwrite_control(const struct pkgwrite_control *files, size_t n, int64_t mtime,
	struct buf *out, struct err *err)
{
	auto_buf struct buf tar = BUF_INIT(MAX_CONTROL);
	for (size_t i = 0; i < n; i++) {
		struct tar_entry t = {
			.name = files[i].name, .type = '0', .mode = files[i].mode,
			.size = files[i].bytes.n, .mtime = mtime, .uname = S("root"),
			.gname = S("root"),
		};
		if (!tar_header(&t, &tar, err))
			return false;
		buf_addstr(&tar, files[i].bytes);
		buf_addzero(&tar, tar_padding(files[i].bytes.n));
	}
	if (tar.over)
		return err_set(err, EK_OTHER, "the control section is over %zu bytes", MAX_CONTROL);
	return gz_deflate(buf_str(&tar), CONTROL_LEVEL, out, err);
}

static bool control_section(const struct pkgwrite *w, const struct pkgwrite_result *r,
	struct buf *out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf text = BUF_INIT(MAX_CONTROL);
	struct apk_pkg info = *w->info;
	info.installed_size = r->installed_size;
	info.datahash = str_of(r->datahash);
	pkginfo_write(&info, w->extra, &text);
	struct pkgwrite_control *files = arena_array(&a, struct pkgwrite_control, w->n_control + 1);
	files[0] = (struct pkgwrite_control){ S(".PKGINFO"), 0644, buf_str(&text) };
	if (w->n_control)
		memcpy(files + 1, w->control, w->n_control * sizeof(*files));
	return pkgwrite_control(files, w->n_control + 1, w->mtime, out, err);
}

/* Signature and control sections, the head of the file. */
static bool head(const struct pkgwrite *w, struct pkgwrite_result *r, struct buf *out,
	struct err *err)
{
	auto_buf struct buf control = BUF_INIT(MAX_CONTROL);
	uint8_t md[SHA256_SIZE];
	if (!control_section(w, r, &control, err))
		return false;
	digest_once(DIGEST_SHA1, control.p, control.n, r->checksum);
	digest_once(DIGEST_SHA256, control.p, control.n, md);
	if (w->key && !apk_sign_member(w->key, w->key_path, md, w->mtime, out, err))
		return false;
	buf_addstr(out, buf_str(&control));
	return true;
}

/* A nameless file in the directory of the package, so that copying may share its blocks. */
static int open_nameless(const char *path, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str dir = path_dir(str_of(path));
	char *name = dir.n ? arena_strndup(&a, dir.p, dir.n)
			   : arena_strdup(&a, path[0] == '/' ? "/" : ".");
	int fd = open(name, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT &&
			       errno != EINVAL)) {
		if (fd < 0)
			(void)err_sys(err, "cannot write in '%s'", name);
		return fd;
	}
	char *temp = arena_printf(&a, "%s/.data-XXXXXX", name);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		(void)err_sys(err, "cannot write in '%s'", name);
	else
		(void)unlink(temp);
	return fd;
}

uint64_t pkgwrite_size(const struct pkgwrite_entry *entries, size_t n)
{
	uint64_t size = 0;
	for (size_t i = 0; i < n; i++)
		size += entries[i].type == '0'	 ? entries[i].size
			: entries[i].type == '2' ? entries[i].link.n
						 : 0;
	return size;
}

bool pkgwrite(const struct pkgwrite *w, struct pkgwrite_result *ret, struct err *err)
{
	struct pkgwrite_result r = { .installed_size = pkgwrite_size(w->entries, w->n) };
	auto_fd int data = open_nameless(w->path, err);
	auto_outfile struct outfile out = OUTFILE_INIT;
	auto_buf struct buf top = BUF_INIT(MAX_CONTROL + (1u << 20));
	uint64_t data_size;
	uint8_t md[SHA256_SIZE];
	if (data < 0 || !write_data(w, data, &data_size, md, err))
		return false;
	hex_encode(md, sizeof(md), r.datahash);
	if (!head(w, &r, &top, err))
		return false;
	r.file_size = top.n + data_size;
	if (!outfile_open(&out, w->path, 0644, err) ||
		!fd_write_all(out.fd, top.p, top.n, w->path, err) ||
		!fd_copy(data, 0, out.fd, (off_t)data_size, w->path, err) ||
		!outfile_commit(&out, false, err))
		return false;
	*ret = r;
	return true;
}
