#include "apko/build/output.h"

#include <string.h>
#include <sys/stat.h>

#include "apko/build/phase.h"
#include "apko/oci/dockertar.h"
#include "apko/oci/layout.h"
#include "apko/oci/oindex.h"
#include "apko/sbom/sbom.h"
#include "shared/base/tstamp.h"

/* The repository's last part, for SBOMs. */
static struct str sbom_repo(struct building *b)
{
	auto_err struct err ignored = ERR_INIT;
	struct oci_ref ref;
	if (!oci_ref_parse(str_of(b->ctx->req->tag), b->a, &ref, &ignored))
		return STR_NONE;
	return str_from(ref.repo, (size_t)(str_rchr(ref.repo, '/') + 1));
}

static bool build_images(struct building *b, struct err *err)
{
	struct context *c = b->ctx;
	b->built = arena_array(b->a, struct built, c->n_archs + 1);
	b->images = arena_array(b->a, struct oci_image, c->n_archs + 1);
	b->created = c->build_date;
	b->repo = sbom_repo(b);
	for (size_t i = 0; i < c->n_archs; i++) {
		if (!build_image(c, i, b->repo.n ? b->repo : S("image"), b->a, &b->built[i], err))
			return false;
		b->images[b->n++] = b->built[i].image;
		if (b->built[i].date > b->created)
			b->created = b->built[i].date;
	}
	oci_images_sort(b->images, b->n);
	return true;
}

static void make_index(struct building *b)
{
	struct oci_kvs annotations;
	oci_annotations(&b->ctx->conf, NULL, b->created, b->a, &annotations);
	oci_index_write(b->images, b->n, &annotations, &b->index);
}

static bool write_output(struct building *b, void *user, struct err *err)
{
	(void)user;
	const char *out = b->ctx->req->output;
	struct stat st;
	size_t n = strlen(out);
	bool dir = (n && out[n - 1] == '/') || (stat(out, &st) == 0 && S_ISDIR(st.st_mode));
	struct oci_ref ref;
	if (dir)
		return oci_layout_write(out, b->images, b->n, buf_str(&b->index), err);
	return oci_ref_parse(str_of(b->ctx->req->tag), b->a, &ref, err) &&
		oci_dockertar_write(out, &ref, b->images, b->n, buf_str(&b->index), err);
}

static bool prepare_sbom(struct building *b, const char *name, struct str text, struct err *err)
{
	const char *dir = b->ctx->req->sbom_path;
	const char *path = *dir ? arena_printf(b->a, "%s/%s", dir, name) : name;
	struct outfile *out = &b->sboms[b->n_sboms++];
	*out = (struct outfile)OUTFILE_INIT;
	return (outfile_open(out, path, 0644, err) &&
		       fd_write_all(out->fd, text.p, text.n, path, err)) ||
		err_wrap(err, "SBOM");
}

static bool prepare_sboms(struct building *b, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(64u << 20);
	for (size_t i = 0; i < b->n; i++)
		if (!prepare_sbom(b, arena_printf(b->a, "sbom-%s.spdx.json",
				b->built[i].image.arch->apk), b->built[i].sbom, err))
			return false;
	const struct index_sbom s = {
		.images = b->images,
		.n = b->n,
		.index = buf_str(&b->index),
		.repo = b->repo.n ? b->repo : S("index"),
		.image_repo = b->repo.n ? b->repo : S("image"),
		.created = str_of(tstamp_rfc3339(b->a, b->created)),
		.vcs_url = b->ctx->conf.vcs_url.s,
	};
	sbom_index(&s, &text);
	return prepare_sbom(b, "sbom-index.spdx.json", buf_str(&text), err);
}

static bool commit_sboms(struct building *b, struct err *err)
{
	for (size_t i = 0; i < b->n_sboms; i++)
		if (!outfile_commit(&b->sboms[i], false, err))
			return err_wrap(err, "SBOM");
	return true;
}

bool build_for(const struct apko_req *req, bool sboms, struct arena *a,
	bool (*deliver)(struct building *b, void *user, struct err *err), void *user,
	struct err *err)
{
	struct context ctx;
	struct building b = { .ctx = &ctx, .a = a, .index = BUF_INIT(64u << 20) };
	bool ok = context_open(req, CONTEXT_TOGETHER, a, &ctx, err) && build_images(&b, err);
	if (ok) {
		int64_t at = phase_begin();
		make_index(&b);
		ok = (!sboms || prepare_sboms(&b, err)) && deliver(&b, user, err) &&
			commit_sboms(&b, err);
		phase_end(&at, "write");
	}
	for (size_t i = 0; i < b.n_sboms; i++)
		outfile_release(&b.sboms[i]);
	buf_release(&b.index);
	context_release(&ctx);
	return ok;
}

bool build_all(const struct apko_req *req, struct arena *a, struct err *err)
{
	return build_for(req, req->sbom, a, write_output, NULL, err);
}
