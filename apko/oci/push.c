#include "apko/oci/push.h"

#include <fcntl.h>
#include <string.h>

#include "shared/base/log.h"
#include "shared/os/fd.h"

#define AT_ONCE 4
#define TRIES 3

static const char *const blob_headers[] = {"Content-Type: application/octet-stream", NULL};

/* A blob to be there: a layer's file, or bytes. */
struct upload {
	const struct oci_desc *desc;
	const char *path;
	struct str bytes;
	int fd;
	char *url; /* where it goes on */
};
struct uploads {
	struct upload *v;
	size_t n, cap;
};

static void add_blob(struct uploads *u, struct upload blob, struct arena *a)
{
	for (size_t i = 0; i < u->n; i++)
		if (strcmp(u->v[i].desc->hex, blob.desc->hex) == 0)
			return;
	blob.fd = -1;
	vec_push(a, u, blob);
}

static bool succeeded(const struct http_resp *resp)
{
	return resp->status >= 200 && resp->status < 300;
}

/* Takes out of the list what the repository has. */
static bool leave_known_out(struct registry *r, struct uploads *u, struct err *err)
{
	struct http_job *jobs = arena_array(r->arena, struct http_job, u->n + 1);
	size_t n = 0;
	for (size_t i = 0; i < u->n; i++)
		jobs[i].req = (struct http_req){.method = HTTP_HEAD,
			.url = arena_printf(
				r->arena, "%s/blobs/sha256:%s", r->base, u->v[i].desc->hex)};
	if (!registry_do_all(r, jobs, u->n, err))
		return false;
	for (size_t i = 0; i < u->n; i++) {
		if (succeeded(&jobs[i].resp))
			log_debug("the registry has blob sha256:%s", u->v[i].desc->hex);
		else if (jobs[i].resp.status == 404)
			u->v[n++] = u->v[i];
		else
			return registry_refused(r, "looking for a blob", &jobs[i].resp, err);
	}
	u->n = n;
	return true;
}

/* One step for each of a few blobs; what their answers lead to is where they go on. */
static bool step(struct registry *r, struct upload *u, struct http_job *jobs, size_t n,
	const char *what, bool last, struct err *err)
{
	if (!registry_do_all(r, jobs, n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!succeeded(&jobs[i].resp))
			return registry_refused(r, what, &jobs[i].resp, err);
		if (!last && !registry_location(r, &jobs[i].resp, &u[i].url, err))
			return false;
	}
	return true;
}

static bool begin(struct registry *r, struct upload *u, size_t n, struct err *err)
{
	struct http_job jobs[AT_ONCE] = {0};
	for (size_t i = 0; i < n; i++)
		jobs[i].req = (struct http_req){.method = HTTP_POST,
			.url = arena_printf(r->arena, "%s/blobs/uploads/", r->base),
			.no_redirect = true,
			.repeatable = true};
	return step(r, u, jobs, n, "beginning an upload", false, err);
}

static bool send(struct registry *r, struct upload *u, size_t n, struct err *err)
{
	struct http_job jobs[AT_ONCE] = {0};
	for (size_t i = 0; i < n; i++) {
		jobs[i].req = (struct http_req){.method = HTTP_PATCH,
			.url = u[i].url,
			.headers = blob_headers,
			.body = u[i].bytes,
			.no_redirect = true};
		if (!u[i].path)
			continue;
		u[i].fd = open(u[i].path, O_RDONLY | O_CLOEXEC);
		if (u[i].fd < 0)
			return err_sys(err, "cannot open layer '%s'", u[i].path);
		jobs[i].req.body_fd = u[i].fd;
		jobs[i].req.body_size = (int64_t)u[i].desc->size;
	}
	return step(r, u, jobs, n, "sending a blob", false, err);
}

static bool finish(struct registry *r, struct upload *u, size_t n, struct err *err)
{
	struct http_job jobs[AT_ONCE] = {0};
	for (size_t i = 0; i < n; i++)
		jobs[i].req = (struct http_req){.method = HTTP_PUT,
			.url = arena_printf(r->arena, "%s%cdigest=sha256:%s", u[i].url,
				strchr(u[i].url, '?') ? '&' : '?', u[i].desc->hex),
			.no_redirect = true};
	return step(r, u, jobs, n, "ending an upload", true, err);
}

static bool push_some(struct registry *r, struct upload *u, size_t n, struct err *err)
{
	bool ok = begin(r, u, n, err) && send(r, u, n, err) && finish(r, u, n, err);
	for (size_t i = 0; i < n; i++)
		fd_close(&u[i].fd);
	return ok;
}

static bool push_blobs(struct registry *r, struct uploads *all, struct err *err)
{
	for (unsigned attempt = 1;; attempt++) {
		auto_err struct err why = ERR_INIT;
		bool ok = leave_known_out(r, all, &why);
		for (size_t i = 0; ok && i < all->n; i += AT_ONCE)
			ok = push_some(
				r, all->v + i, all->n - i < AT_ONCE ? all->n - i : AT_ONCE, &why);
		if (ok)
			return true;
		if (why.kind != EK_NETWORK || attempt == TRIES)
			return err_move(err, &why);
		log_warn("%s; trying again", why.msg);
	}
}

static bool put_manifest(struct registry *r, const char *type, struct str bytes, const char *digest,
	const char *name, struct err *err)
{
	const char *const headers[] = {arena_printf(r->arena, "Content-Type: %s", type), NULL};
	const char *const accept[] = {arena_printf(r->arena, "Accept: %s", type), NULL};
	struct http_req req = {.method = HTTP_HEAD,
		.url = arena_printf(r->arena, "%s/manifests/%s", r->base, name),
		.headers = accept};
	struct http_resp resp;
	if (!registry_do(r, &req, &resp, err))
		return false;
	if (succeeded(&resp) && str_is(http_header(&resp, "docker-content-digest"), digest))
		return true;
	req.method = HTTP_PUT;
	req.headers = headers;
	req.body = bytes;
	if (!registry_do(r, &req, &resp, err))
		return false;
	return succeeded(&resp) || registry_refused(r, "sending a manifest", &resp, err);
}

bool push_images(struct registry *r, const struct oci_image *imgs, size_t n, struct err *err)
{
	struct uploads all = {0};
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < imgs[i].n_layers; k++)
			add_blob(&all,
				(struct upload){.desc = &imgs[i].layers[k].desc,
					.path = imgs[i].layers[k].path},
				r->arena);
		add_blob(&all,
			(struct upload){.desc = &imgs[i].config, .bytes = imgs[i].config_json},
			r->arena);
	}
	if (!push_blobs(r, &all, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct str digest = oci_desc_digest(&imgs[i].manifest, r->arena);
		if (!put_manifest(
			    r, OCI_TYPE_MANIFEST, imgs[i].manifest_json, digest.p, digest.p, err))
			return false;
	}
	return true;
}

bool push_index(struct registry *r, struct str index, struct str tag, struct err *err)
{
	struct oci_desc desc = oci_desc_of(OCI_TYPE_INDEX, index);
	struct str digest = oci_desc_digest(&desc, r->arena);
	const char *name = tag.n ? arena_strndup(r->arena, tag.p, tag.n) : digest.p;
	return put_manifest(r, OCI_TYPE_INDEX, index, digest.p, name, err);
}
