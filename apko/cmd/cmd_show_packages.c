#include "apko/cmd/cmd.h"

#include <string.h>

#include "apko/build/context.h"
#include "shared/base/log.h"
#include "shared/text/jwrite.h"

struct show {
	struct apko_req req;
	const char *format;
};

static const struct opt opts[] = {
	APKO_OPTS,
	APKO_JSON_OPT("print JSON, also when packages cannot be selected"),
	{ "format", 0, OPT_STR, offsetof(struct show, format), "{{ .Name }} {{ .Version }}", "FORMAT",
		"name-version, name=version, name-(version), packagelock, each also with -source, or "
		"a template of .Name .Version .Source", 0 },
	{ 0 },
};

static const struct {
	const char *name, *template_;
} formats[] = {
	{ "name-version", "{{.Name}} {{.Version}}" },
	{ "name=version", "{{.Name}}={{.Version}}" },
	{ "name-(version)", "{{.Name}} ({{.Version}})" },
	{ "packagelock", "- {{.Name}}={{.Version}}" },
	{ "name-version-source", "{{.Name}} {{.Version}} {{.Source}}" },
	{ "name=version-source", "{{.Name}}={{.Version}} {{.Source}}" },
	{ "name-(version)-source", "{{.Name}} ({{.Version}}) {{.Source}}" },
	{ "packagelock-source", "- {{.Name}}={{.Version}} # {{.Source}}" },
};

static bool field(struct str name, const struct apk_pkg *p, struct arena *a, struct buf *out)
{
	name = str_trim(name);
	if (str_is(name, ".Name"))
		buf_addstr(out, p->name);
	else if (str_is(name, ".Version"))
		buf_addstr(out, p->version);
	else if (str_is(name, ".Source"))
		buf_addstr(out, image_public_line(apk_pkg_url(p, a), a));
	else
		return false;
	return true;
}

static bool print_package(const char *format, const struct apk_pkg *p, struct arena *a,
	struct buf *out, struct err *err)
{
	struct str rest = str_of(format);
	for (;;) {
		long open = str_find(rest, S("{{"));
		if (open < 0)
			break;
		buf_addstr(out, str_sub(rest, 0, (size_t)open));
		rest = str_from(rest, (size_t)open + 2);
		long close = str_find(rest, S("}}"));
		struct str name = str_sub(rest, 0, close < 0 ? rest.n : (size_t)close);
		if (close < 0 || !field(name, p, a, out)) {
			(void)err_set(err, EK_USAGE, "--format: no field '%.*s'", STR_ARG(str_trim(name)));
			return err_hint(err, "the fields are .Name, .Version and .Source");
		}
		rest = str_from(rest, (size_t)close + 2);
	}
	buf_addstr(out, rest);
	buf_addc(out, '\n');
	return true;
}

static const char *template_of(const char *format)
{
	for (size_t i = 0; i < countof(formats); i++)
		if (strcmp(format, formats[i].name) == 0)
			return formats[i].template_;
	return format;
}

static bool show(struct context *c, const char *format, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(256u << 20);
	for (size_t i = 0; i < c->n_archs; i++) {
		if (c->n_archs > 1)
			log_info("packages for %s", c->archs[i]->oci);
		for (size_t k = 0; k < c->solutions[i].set.n; k++)
			if (!print_package(format, c->solutions[i].set.pkgs[k], c->arena, &out, err))
				return false;
	}
	return cmd_print(buf_str(&out), err);
}

static bool show_json(struct context *c, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(256u << 20);
	struct jwrite w;
	jw_init(&w, &out, 2);
	jw_object(&w);
	jw_key(&w, "architectures");
	jw_array(&w);
	for (size_t i = 0; i < c->n_archs; i++) {
		jw_object(&w);
		jw_kstr(&w, "arch", str_of(c->archs[i]->oci));
		jw_key(&w, "packages");
		jw_array(&w);
		for (size_t k = 0; k < c->solutions[i].set.n; k++) {
			const struct apk_pkg *p = c->solutions[i].set.pkgs[k];
			jw_object(&w);
			jw_kstr(&w, "name", p->name);
			jw_kstr(&w, "version", p->version);
			jw_kstr(&w, "source", apk_pkg_url(p, c->arena));
			jw_object_end(&w);
		}
		jw_array_end(&w);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
	buf_addc(&out, '\n');
	return cmd_print(buf_str(&out), err);
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	struct show *s = req;
	struct context ctx;
	s->req.config = args->v[0].p;
	s->req.vcs = false;
	bool ok = context_open(&s->req, CONTEXT_TOGETHER, a, &ctx, err) && (s->req.json ? show_json(&ctx, err) : show(&ctx, template_of(s->format), err));
	context_release(&ctx);
	return ok || cmd_failed(&s->req, err);
}

const struct cmd cmd_show_packages = {
	.name = "show-packages",
	.args = "CONFIG",
	.summary = "resolve, and print the packages of the image",
	.opts = opts,
	.req_size = sizeof(struct show),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
