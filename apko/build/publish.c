#include "apko/build/publish.h"

#include "apko/build/output.h"
#include "apko/build/localload.h"
#include "apko/oci/push.h"
#include "shared/base/log.h"

struct publishing {
	const struct publish_req *req;
	struct arena *a;
	struct oci_ref *refs;
	size_t n;
	struct str name;
};

static bool parse_refs(struct publishing *p, const struct strs *tags, struct err *err)
{
	p->refs = arena_array(p->a, struct oci_ref, tags->n);
	for (; p->n < tags->n; p->n++)
		if (!oci_ref_parse(tags->v[p->n], p->a, &p->refs[p->n], err))
			return false;
	return true;
}

static bool same_repo(const struct oci_ref *a, const struct oci_ref *b)
{
	return str_eq(a->registry, b->registry) && str_eq(a->repo, b->repo);
}

static bool is_first(const struct publishing *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same_repo(&p->refs[k], &p->refs[i]))
			return false;
	return true;
}

/* Everything into one repository: images once, the index under each of its tags. */
static bool push_to(struct publishing *p, struct building *b, size_t first, struct err *err)
{
	struct registry r;
	const struct oci_ref *to = &p->refs[first];
	if (!registry_open(b->ctx->http, to, p->a, &r, err) ||
		!push_images(&r, b->images, b->n, err))
		return false;
	for (size_t i = first; i < p->n; i++) {
		if (!same_repo(to, &p->refs[i]))
			continue;
		if (!push_index(&r, buf_str(&b->index), p->refs[i].tag, err))
			return false;
		log_info("pushed %.*s:%.*s", STR_ARG(oci_ref_name(to, p->a)),
			STR_ARG(p->refs[i].tag));
	}
	return true;
}

static struct str by_digest(struct publishing *p, const struct oci_desc *d)
{
	return arena_strf(p->a, "%.*s@%.*s", STR_ARG(oci_ref_name(&p->refs[0], p->a)),
		STR_ARG(oci_desc_digest(d, p->a)));
}

static bool write_refs(struct publishing *p, const struct building *b, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(1 << 20);
	if (!*p->req->image_refs)
		return true;
	for (size_t i = 0; i < b->n; i++)
		buf_printf(&out, "%.*s\n", STR_ARG(by_digest(p, &b->images[i].manifest)));
	buf_printf(&out, "%.*s\n", STR_ARG(p->name));
	return file_write(p->req->image_refs, out.p, out.n, 0644, err) ||
	       err_wrap(err, "--image-refs");
}

static bool push(struct building *b, void *user, struct err *err)
{
	struct publishing *p = user;
	struct oci_desc index = oci_desc_of(OCI_TYPE_INDEX, buf_str(&b->index));
	if (p->req->local)
		return local_load(b->images, b->n, p->refs, p->n, p->a, &p->name, err);
	for (size_t i = 0; i < p->n; i++)
		if (is_first(p, i) && !push_to(p, b, i, err))
			return false;
	p->name = by_digest(p, &index);
	return write_refs(p, b, err);
}

bool publish_all(const struct publish_req *req, const struct strs *tags, struct arena *a,
	struct str *ret_name, struct err *err)
{
	struct publishing p = {.req = req, .a = a};
	struct apko_req build = req->build;
	build.tag = tags->v[0].p;
	if (req->local && *req->image_refs)
		return err_set(err, EK_USAGE,
			"--image-refs lists what is pushed, which --local "
			"does not");
	if (!parse_refs(&p, tags, err) ||
		!build_for(&build, build.sbom && *build.sbom_path && !req->local, a, push, &p, err))
		return false;
	*ret_name = p.name;
	return true;
}
