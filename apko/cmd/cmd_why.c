#include "apko/cmd/cmd.h"

#include <unistd.h>

#include "apko/build/context.h"
#include "shared/apk/solve_reason.h"
#include "shared/os/fd.h"
#include "shared/text/jwrite.h"

#define MAX_LISTED 8	/* of a list told in one line */

static const struct opt opts[] = {
	APKO_OPTS,
	APKO_JSON_OPT("print JSON, also when packages cannot be selected"),
	{ 0 },
};

bool cmd_failed(const struct apko_req *req, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(64u << 20);
	auto_err struct err ignored = ERR_INIT;
	struct jwrite w;
	if (!req->json || !err->detail)
		return false;
	jw_init(&w, &out, 0);
	jw_object(&w);
	jw_kstr(&w, "error", str_of(err->msg));
	jw_key(&w, "conflicts");
	jw_array(&w);
	buf_adds(&out, err->detail);
	jw_array_end(&w);
	jw_object_end(&w);
	buf_addc(&out, '\n');
	(void)!cmd_print(buf_str(&out), &ignored);
	return false;
}

static void add_nv(struct buf *out, const struct apk_pkg *p)
{
	buf_printf(out, "%.*s-%.*s", STR_ARG(p->name), STR_ARG(p->version));
}

static void tell_link(struct buf *out, const struct solve_link *l)
{
	buf_adds(out, "  ");
	if (l->install_if) {
		add_nv(out, l->pkg);
		buf_printf(out, " comes along where all of '%.*s' is installed\n",
			STR_ARG(l->atom));
		return;
	}
	if (l->by) {
		add_nv(out, l->by);
		buf_printf(out, " needs '%.*s': ", STR_ARG(l->atom));
	} else {
		buf_printf(out, "'%.*s' is asked for: ", STR_ARG(l->atom));
	}
	add_nv(out, l->pkg);
	buf_addc(out, '\n');
}

static void tell_list(struct buf *out, const char *what, const struct apk_pkg *const *list,
	size_t n)
{
	if (!n)
		return;
	buf_printf(out, "  %s ", what);
	for (size_t i = 0; i < n && i < MAX_LISTED; i++) {
		buf_adds(out, i ? ", " : "");
		add_nv(out, list[i]);
	}
	if (n > MAX_LISTED)
		buf_printf(out, " and %zu more", n - MAX_LISTED);
	buf_addc(out, '\n');
}

static void tell(struct buf *out, const struct apk_arch *arch, const struct apk_pkg *p,
	const struct solve_reason *r)
{
	buf_printf(out, "%s: ", arch->oci);
	add_nv(out, p);
	if (p->index)
		buf_printf(out, " of %.*s", STR_ARG(p->index->repo));
	buf_addc(out, '\n');
	for (size_t i = 0; i < r->n; i++)
		tell_link(out, &r->links[i]);
	tell_list(out, "needed by", r->askers, r->n_askers);
	tell_list(out, "chosen over", r->others, r->n_others);
}

static void write_list(struct jwrite *w, const char *key, const struct apk_pkg *const *list,
	size_t n, struct arena *a)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < n; i++)
		jw_str(w, apk_pkg_nv(list[i], a));
	jw_array_end(w);
}

static void write_reason(struct jwrite *w, const struct apk_arch *arch, const struct apk_pkg *p,
	const struct solve_reason *r, struct arena *a)
{
	jw_object(w);
	jw_kstr(w, "arch", str_of(arch->oci));
	jw_kstr(w, "package", apk_pkg_nv(p, a));
	jw_kstr_opt(w, "repository", p->index ? p->index->repo : STR_NONE);
	jw_kbool(w, "requested", r->asked);
	jw_key(w, "chain");
	jw_array(w);
	for (size_t i = 0; i < r->n; i++) {
		const struct solve_link *l = &r->links[i];
		jw_object(w);
		jw_kstr_opt(w, "by", l->by ? apk_pkg_nv(l->by, a) : STR_NONE);
		jw_kstr(w, l->install_if ? "install_if" : "atom", l->atom);
		jw_kstr(w, "package", apk_pkg_nv(l->pkg, a));
		jw_object_end(w);
	}
	jw_array_end(w);
	write_list(w, "needed_by", r->askers, r->n_askers, a);
	write_list(w, "chosen_over", r->others, r->n_others, a);
	jw_object_end(w);
}

static bool not_there(const struct context *c, struct str name, struct err *err)
{
	(void)err_set(err, EK_NOTFOUND, "no package of the image is or provides '%.*s'",
		STR_ARG(name));
	return err_hint(err, "'apko show-packages %s' lists them", c->req->config);
}

/* Architectures that lack it are passed over, unless all do. */
static bool why(struct context *c, struct str name, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(64u << 20), json = BUF_INIT(64u << 20);
	struct jwrite w;
	jw_init(&w, &json, 2);
	jw_array(&w);
	for (size_t i = 0; i < c->n_archs; i++) {
		const struct image_solution *s = &c->solutions[i];
		const struct apk_pkg *p = solve_named(&s->set, name, c->arena);
		const struct solve_req req = { .indexes = &s->indexes, .world = &s->world };
		struct solve_reason r;
		if (!p)
			continue;
		if (!solve_reason(&req, &s->set, p, c->arena, &r, err))
			return false;
		tell(&text, s->arch, p, &r);
		write_reason(&w, s->arch, p, &r, c->arena);
	}
	jw_array_end(&w);
	buf_addc(&json, '\n');
	if (!text.n)
		return not_there(c, name, err);
	return cmd_print(buf_str(c->req->json ? &json : &text), err);
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct apko_req *r = req;
	struct context ctx;
	r->config = args->v[1].p;
	r->vcs = false;
	bool ok = context_open(r, CONTEXT_TOGETHER, a, &ctx, err) && why(&ctx, args->v[0], err);
	context_release(&ctx);
	return ok || cmd_failed(r, err);
}

const struct cmd cmd_why = {
	.name = "why",
	.args = "PACKAGE CONFIG",
	.summary = "tell why a package is in the image",
	.opts = opts,
	.req_size = sizeof(struct apko_req),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
