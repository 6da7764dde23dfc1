#include "apko/build/pack.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "apko/build/cpio.h"
#include "apko/build/rootfs.h"
#include "apko/layers/layer.h"
#include "shared/archive/splice.h"
#include "shared/base/log.h"
#include "shared/os/fd.h"

/* Compresses what is written to it, in pieces of a fixed size. */
#define PIECE ((size_t)1 << 20)
struct gz_sink {
	struct sink sink;
	struct splice_enc *enc;
	struct splice_join join;
	struct buf raw, deflated;
};

static bool flush(struct gz_sink *g, struct err *err)
{
	struct splice_piece piece;
	buf_clear(&g->deflated);
	bool ok = splice_deflate(g->enc, g->raw.p, g->raw.n, &g->deflated, &piece, err) &&
		  splice_add(&g->join, &piece, g->deflated.p, err);
	buf_clear(&g->raw);
	return ok;
}

static bool compress(struct sink *sink, const void *p, size_t n, struct err *err)
{
	struct gz_sink *g = (struct gz_sink *)sink;
	for (size_t at = 0; at < n;) {
		size_t room = PIECE - g->raw.n;
		size_t take = n - at < room ? n - at : room;
		buf_add(&g->raw, (const char *)p + at, take);
		at += take;
		if (g->raw.n == PIECE && !flush(g, err))
			return false;
	}
	return true;
}

struct packing {
	struct context *ctx;
	const char *path;
	enum pack_format format;
	struct outfile out;
	struct fd_sink file;
	struct arena *a;
};

static bool write_cpio(struct packing *p, struct tree *t, bool gz, struct err *err)
{
	struct export_plan plan;
	struct gz_sink g = {
		.sink.write = compress, .raw = BUF_INIT(PIECE), .deflated = BUF_INIT(BUF_NOLIMIT)};
	if (!export_plan(t, NULL, p->a, &plan, err))
		return false;
	if (!gz)
		return cpio_write(t, &plan, &p->file.sink, err);
	g.enc = splice_enc_new(SPLICE_LEVEL_LAYER);
	bool ok = splice_begin(&g.join, &p->file.sink, err) && cpio_write(t, &plan, &g.sink, err) &&
		  flush(&g, err) && splice_end(&g.join, err);
	splice_enc_free(g.enc);
	buf_release(&g.raw);
	buf_release(&g.deflated);
	return ok;
}

/* The same bytes as a layer has, made on all threads. */
static bool write_layer(struct packing *p, struct assemble_result *r, struct err *err)
{
	const struct layer_req req = {
		.tree = &r->tree,
		.installed = &r->installed,
		.level = SPLICE_LEVEL_LAYER,
		.store = p->ctx->store,
		.pool = p->ctx->pool,
	};
	struct layers made;
	if (!layers_make(&req, p->a, &made, err))
		return false;
	auto_fd int fd = open(made.v[0].path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open layer '%s'", made.v[0].path);
	return fd_copy(fd, 0, p->out.fd, (off_t)made.v[0].size, p->path, err);
}

static bool write_tar(struct packing *p, struct tree *t, struct err *err)
{
	struct export_plan plan;
	return export_plan(t, NULL, p->a, &plan, err) && export_tar(&plan, &p->file.sink, err);
}

static bool write_rootfs(struct assemble_result *r, void *user, struct err *err)
{
	struct packing *p = user;
	bool gz = str_ends(str_of(p->path), S(".gz"));
	for (size_t i = 0; i < r->warnings.n; i++)
		log_warn("%.*s", STR_ARG(r->warnings.v[i]));
	if (!outfile_open(&p->out, p->path, 0644, err))
		return false;
	fd_sink_init(&p->file, p->out.fd, p->path);
	bool ok = p->format == PACK_CPIO ? write_cpio(p, &r->tree, gz, err)
		  : gz                   ? write_layer(p, r, err)
					 : write_tar(p, &r->tree, err);
	return ok && outfile_commit(&p->out, false, err);
}

bool pack_rootfs(
	const struct apko_req *req, enum pack_format format, struct arena *a, struct err *err)
{
	struct context ctx;
	struct packing p = {
		.ctx = &ctx, .path = req->output, .format = format, .out = OUTFILE_INIT, .a = a};
	struct locked l;
	const struct rootfs_req r = {.ctx = &ctx, .locked = &l};
	bool ok = context_open(req, CONTEXT_TOGETHER, a, &ctx, err);
	if (ok) {
		context_as_is(&ctx, 0, &l);
		ok = rootfs_make(&r, a, write_rootfs, &p, err);
	}
	outfile_release(&p.out);
	context_release(&ctx);
	return ok;
}
