#include "melange/plan/variables.h"

#include "melange/config/pass.h"

#define HOME "/home/build"
#define OUT HOME "/melange-out"

static void set_triplet(struct scope *s, const char *name, const char *format, const char *flavour,
	struct arena *a)
{
	struct str before, after, f = str_of(format);
	long at = str_find(f, S("%s"));
	before = at < 0 ? f : str_sub(f, 0, (size_t)at);
	after = at < 0 ? STR_NONE : str_from(f, (size_t)at + 2);
	scope_set_text(s, name,
		arena_strf(a, "%.*s%s%.*s", STR_ARG(before), flavour, STR_ARG(after)));
}

static void set_options(struct scope *s, const struct config *c, const struct strs *enabled,
	struct arena *a)
{
	for (size_t i = 0; i < c->options.n; i++)
		scope_set_text(s, arena_printf(a, "options.%.*s.enabled", STR_ARG(c->options.v[i].key)),
			S("false"));
	for (size_t i = 0; enabled && i < enabled->n; i++)
		scope_set_text(s, arena_printf(a, "options.%.*s.enabled", STR_ARG(enabled->v[i])),
			S("true"));
}

static void set_package_dir(struct scope *s, struct str name, struct arena *a)
{
	scope_set_text(s, arena_printf(a, "targets.package.%.*s", STR_ARG(name)),
		arena_strf(a, OUT "/%.*s", STR_ARG(name)));
}

void variables_arch(struct scope *s, const struct config *c, const struct compile_opts *opts,
	struct arena *a, struct diags *diags)
{
	const struct apk_arch *arch = opts->arch;
	const char *flavour = opts->libc_flavour ? opts->libc_flavour : "gnu";
	scope_package(s, c, a);
	scope_vars(s, c, a, diags);
	scope_set_text(s, "package.srcdir", S(HOME));
	scope_set_text(s, "build.arch", str_of(arch->apk));
	scope_set_text(s, "build.goarch", str_of(arch->goarch));
	set_triplet(s, "host.triplet.gnu", arch->gnu, flavour, a);
	set_triplet(s, "host.triplet.rust", arch->rust, flavour, a);
	set_triplet(s, "cross.triplet.gnu.glibc", arch->gnu, "gnu", a);
	set_triplet(s, "cross.triplet.gnu.musl", arch->gnu, "musl", a);
	set_triplet(s, "cross.triplet.rust.glibc", arch->rust, "gnu", a);
	set_triplet(s, "cross.triplet.rust.musl", arch->rust, "musl", a);
	scope_set_text(s, "targets.outdir", S(OUT));
	scope_set_text(s, "targets.destdir", arena_strf(a, OUT "/%.*s", STR_ARG(c->package.name.s)));
	set_package_dir(s, c->package.name.s, a);
	const struct subpackage *subs = c->subpackages.v;
	for (size_t i = 0; i < c->subpackages.n; i++)
		set_package_dir(s, subs[i].name.s, a);
	set_options(s, c, opts->build_options, a);
}

void variables_origin(struct scope *s, const struct config *c, struct arena *a)
{
	scope_set_text(s, "context.name", c->package.name.s);
	scope_set_text(s, "targets.contextdir",
		arena_strf(a, OUT "/%.*s", STR_ARG(c->package.name.s)));
}

void variables_subpackage(struct scope *s, const struct subpackage *sub, struct arena *a)
{
	struct str dir = arena_strf(a, OUT "/%.*s", STR_ARG(sub->name.s));
	scope_set_text(s, "context.name", sub->name.s);
	scope_set_text(s, "subpkg.name", sub->name.s);
	scope_set_text(s, "targets.contextdir", dir);
	scope_set_text(s, "targets.subpkgdir", dir);
	if (sub->range_key.n || sub->range_value.n) {
		scope_set_text(s, "range.key", sub->range_key);
		scope_set_text(s, "range.value", sub->range_value);
	}
}
