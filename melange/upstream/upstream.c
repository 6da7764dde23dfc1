#include "melange/upstream/upstream.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "melange/plan/variables.h"
#include "shared/os/fd.h"

#define MAX_FILE ((size_t)16 << 20)
#define CHUNK ((size_t)256 << 10)

bool upfile_load(const char *path, struct arena *a, struct upfile *ret, struct err *err)
{
	const struct load_opts lo = { .any_version = true };
	auto_buf struct buf text = BUF_INIT(MAX_FILE);
	if (!file_read(path, &text, err) ||
		!config_parse(buf_str(&text), path, &lo, a, &ret->c, err))
		return false;
	ret->text = arena_str(a, buf_str(&text));
	ret->a = a;
	diags_init(&ret->diags, a, ret->c.doc);
	return true;
}

bool upfile_write(const struct upfile *f, const char *path, const struct yedits *edits,
	struct err *err)
{
	struct str text;
	struct stat st;
	if (edits->n == 0)
		return true;
	if (!str_eq(f->text, f->c.doc->src))
		return err_set(err, EK_PARSE, "'%s' is not UTF-8, so it cannot be changed in place\n"
			"hint: convert it to UTF-8", path);
	if (!yedit_apply(edits, f->c.doc, f->a, &text, err))
		return false;
	char *real = realpath(path, NULL);
	if (!real || stat(real, &st) != 0) {
		free(real);
		return err_sys(err, "cannot write '%s'", path);
	}
	bool ok = file_write(real, text.p, text.n, st.st_mode & 07777, err);
	free(real);
	return ok;
}

static void find(const struct ynode *n, const char *uses, struct arena *a, struct upsteps *ret)
{
	if (!n)
		return;
	if (n->kind == YN_MAP) {
		const struct ynode *u = ynode_get(n, "uses");
		if (u && u->kind == YN_SCALAR && str_is(u->text, uses))
			vec_push(a, ret, n);
	}
	for (size_t i = 0; i < n->n; i++)
		find(n->kind == YN_SEQ ? n->items[i] : n->pairs[i].val, uses, a, ret);
}

struct upsteps upstream_steps(const struct upfile *f, const char *uses)
{
	struct upsteps steps = { 0 };
	find(ynode_get(f->c.doc->root, "pipeline"), uses, f->a, &steps);
	return steps;
}

const struct ynode *upstep_with(const struct ynode *step, const char *input)
{
	const struct ynode *with = ynode_get(step, "with");
	return with ? ynode_get(with, input) : NULL;
}

void upstream_scope(struct upfile *f, struct str version, uint64_t epoch, struct scope *ret)
{
	struct config *c = arena_dup(f->a, &f->c, sizeof(f->c));
	const struct compile_opts opts = { .arch = apk_arch_host() };
	c->package.version = (struct ystr){ version, NULL };
	c->package.epoch = epoch;
	scope_init(ret, NULL, f->a);
	variables_arch(ret, c, &opts, f->a, &f->diags);
	variables_origin(ret, c, f->a);
}

bool upstream_text(struct upfile *f, const struct scope *scope, const struct ynode *n,
	struct str *ret, struct err *err)
{
	const struct subst x = { .scope = scope, .arena = f->a, .diags = &f->diags,
		.mode = SUBST_STRICT };
	*ret = subst(&x, (struct ystr){ n->text, n }).s;
	return diags_ok(&f->diags, err);
}

bool upstream_uri(struct upfile *f, const struct scope *scope, const struct ynode *step,
	const char **ret, struct err *err)
{
	const struct ynode *uri = upstep_with(step, "uri");
	struct str text;
	if (!uri || uri->kind != YN_SCALAR) {
		diags_add(&f->diags, step->pos, "fetch without input \"uri\"");
		return diags_ok(&f->diags, err);
	}
	if (!upstream_text(f, scope, uri, &text, err))
		return false;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>')
			buf_printf(&b, "%%%02X", c);
		else
			buf_addc(&b, (char)c);
	}
	*ret = arena_strdup(f->a, b.p ? b.p : "");
	return true;
}

bool upstream_sums(int fd, const char *name, struct upsums *ret, struct err *err)
{
	auto_digest struct digest sha256 = { 0 }, sha512 = { 0 };
	auto_buf struct buf b = BUF_INIT(CHUNK);
	char *p = buf_room(&b, CHUNK);
	off_t at = 0;
	digest_init(&sha256, DIGEST_SHA256);
	digest_init(&sha512, DIGEST_SHA512);
	for (ssize_t n; (n = pread(fd, p, CHUNK, at)) != 0; at += n) {
		if (n < 0)
			return err_sys(err, "cannot read '%s'", name);
		digest_add(&sha256, p, (size_t)n);
		digest_add(&sha512, p, (size_t)n);
	}
	digest_final(&sha256, ret->sha256);
	digest_final(&sha512, ret->sha512);
	return true;
}

int upstream_scratch(struct err *err)
{
	const char *dir = getenv("TMPDIR");
	dir = dir && *dir ? dir : "/tmp";
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		err_sys(err, "cannot make a temporary file in '%s'", dir);
	return fd;
}

int upstream_download(struct http *http, const char *url, int64_t max, struct arena *a,
	struct err *err)
{
	auto_fd int fd = upstream_scratch(err);
	struct http_resp resp;
	if (fd < 0)
		return -1;
	const struct http_req req = { .url = url, .to_fd = fd, .max_bytes = max };
	return http_do(http, &req, a, &resp, err) ? fd_steal(&fd) : -1;
}
