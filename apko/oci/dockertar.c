#include "apko/oci/dockertar.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "apko/oci/layercopy.h"
#include "apko/oci/layout.h"
#include "shared/archive/tar.h"
#include "shared/base/map.h"
#include "shared/os/fd.h"

struct writing {
	struct outfile out;
	struct arena arena;
	struct map seen;	/* names written */
	const char *path;
};

static bool add_header(struct writing *w, const struct tar_entry *e, struct err *err)
{
	auto_buf struct buf header = BUF_INIT(64 << 10);
	return tar_header(e, &header, err) &&
		fd_write_all(w->out.fd, header.p, header.n, w->path, err);
}

static bool add_zeros(struct writing *w, size_t n, struct err *err)
{
	static const char zeros[TAR_END_SIZE];
	return fd_write_all(w->out.fd, zeros, n, w->path, err);
}

/* The first use of a name wins: names of blobs say what is in them. */
static bool is_new(struct writing *w, const char *name)
{
	return !map_put(&w->seen, str_of(name), w);
}

static bool add_bytes(struct writing *w, const char *name, struct str bytes, struct err *err)
{
	const struct tar_entry e = { .name = str_of(name), .type = '0', .mode = 0644,
		.size = bytes.n };
	return !is_new(w, name) ||
		(add_header(w, &e, err) &&
			fd_write_all(w->out.fd, bytes.p, bytes.n, w->path, err) &&
			add_zeros(w, tar_padding(bytes.n), err));
}

static bool add_file(struct writing *w, const char *name, const struct oci_layer *l,
	struct err *err)
{
	const struct tar_entry e = { .name = str_of(name), .type = '0', .mode = 0644,
		.size = l->desc.size };
	if (!is_new(w, name))
		return true;
	auto_fd int fd = open(l->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open layer '%s'", l->path);
	return add_header(w, &e, err) &&
		oci_layer_copy(l, fd, w->out.fd, w->path, err) &&
		add_zeros(w, tar_padding(l->desc.size), err);
}

static bool add_link(struct writing *w, const char *hex, const char *to, struct err *err)
{
	const char *name = arena_printf(&w->arena, "blobs/sha256/%s", hex);
	const struct tar_entry e = { .name = str_of(name), .type = '1', .mode = 0644,
		.link = str_of(to) };
	return !is_new(w, name) || add_header(w, &e, err);
}

static const char *json_name(struct writing *w, const struct oci_desc *d)
{
	return arena_printf(&w->arena, "sha256:%s", d->hex);
}

static const char *layer_name(struct writing *w, const struct oci_layer *l)
{
	return arena_printf(&w->arena, "%s.tar.gz", l->desc.hex);
}

struct tagged {
	struct str tag;
	const struct oci_image *img;
};

static int by_tag(const void *a, const void *b)
{
	const struct tagged *x = a, *y = b;
	return str_cmp(x->tag, y->tag);
}

static void tagged_json(struct writing *w, struct jwrite *j, const struct tagged *t)
{
	jw_object(j);
	jw_kstr(j, "Config", str_of(json_name(w, &t->img->config)));
	jw_key(j, "RepoTags");
	jw_array(j);
	jw_str(j, t->tag);
	jw_array_end(j);
	jw_key(j, "Layers");
	jw_array(j);
	for (size_t i = 0; i < t->img->n_layers; i++)
		jw_str(j, str_of(layer_name(w, &t->img->layers[i])));
	jw_array_end(j);
	jw_object_end(j);
}

static bool add_list(struct writing *w, const struct oci_ref *ref, const struct oci_image *imgs,
	size_t n, struct err *err)
{
	struct tagged *tags = arena_array(&w->arena, struct tagged, n + 1);
	auto_buf struct buf json = BUF_INIT(BUF_NOLIMIT);
	struct jwrite j;
	for (size_t i = 0; i < n; i++)
		tags[i] = (struct tagged){ oci_ref_arch_tag(ref, imgs[i].arch, &w->arena),
			&imgs[i] };
	qsort(tags, n, sizeof(tags[0]), by_tag);
	jw_init(&j, &json, 0);
	jw_array(&j);
	for (size_t i = 0; i < n; i++)
		tagged_json(w, &j, &tags[i]);
	jw_array_end(&j);
	return add_bytes(w, "manifest.json", buf_str(&json), err);
}

static bool add_docker(struct writing *w, const struct oci_ref *ref,
	const struct oci_image *imgs, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!add_bytes(w, json_name(w, &imgs[i].config), imgs[i].config_json, err))
			return false;
		for (size_t k = 0; k < imgs[i].n_layers; k++)
			if (!add_file(w, layer_name(w, &imgs[i].layers[k]), &imgs[i].layers[k],
					err))
				return false;
	}
	if (!add_list(w, ref, imgs, n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!add_bytes(w, json_name(w, &imgs[i].manifest), imgs[i].manifest_json, err))
			return false;
	return true;
}

static bool add_blobs(struct writing *w, const struct oci_image *img, struct err *err)
{
	for (size_t i = 0; i < img->n_layers; i++)
		if (!add_link(w, img->layers[i].desc.hex, layer_name(w, &img->layers[i]), err))
			return false;
	return add_link(w, img->config.hex, json_name(w, &img->config), err) &&
		add_link(w, img->manifest.hex, json_name(w, &img->manifest), err);
}

static bool add_all(struct writing *w, const struct oci_ref *ref, const struct oci_image *imgs,
	size_t n, struct str index, struct err *err)
{
	if (!add_docker(w, ref, imgs, n, err) || !add_bytes(w, "index.json", index, err) ||
		!add_bytes(w, "oci-layout", str_of(oci_layout_text), err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!add_blobs(w, &imgs[i], err))
			return false;
	return add_zeros(w, TAR_END_SIZE, err);
}

bool oci_dockertar_write(const char *path, const struct oci_ref *ref,
	const struct oci_image *imgs, size_t n, struct str index, struct err *err)
{
	struct writing w = { .out = OUTFILE_INIT, .path = path };
	if (ref->digest.n)
		return err_set(err, EK_USAGE,
			"a reference with a digest ('%.*s') cannot name what is built",
			STR_ARG(ref->digest));
	map_init(&w.seen, &w.arena);
	bool ok = outfile_open(&w.out, path, 0644, err) &&
		add_all(&w, ref, imgs, n, index, err) && outfile_commit(&w.out, false, err);
	outfile_release(&w.out);
	map_release(&w.seen);
	arena_release(&w.arena);
	return ok;
}
