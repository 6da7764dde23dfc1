#include "melange/config/facts.h"
#include "melange/query/value.h"

#define METHOD(fn)                                                                                 \
	static bool fn(const void *receiver, const struct str *args, struct arena *a,              \
		struct gval *ret, struct err *err)

METHOD(config_name)
{
	(void)args, (void)a, (void)err;
	*ret = gval_str(((const struct config *)receiver)->package.name.s);
	return true;
}

METHOD(full_version)
{
	(void)args, (void)err;
	*ret = gval_str(package_full_version(receiver, a));
	return true;
}

METHOD(license)
{
	(void)args, (void)err;
	*ret = gval_str(package_license(receiver, a));
	return true;
}

METHOD(full_copyright)
{
	(void)args, (void)err;
	struct str text = package_copyright(receiver, a);
	*ret = gval_str(text.n ? text : S("NOASSERTION"));
	return true;
}

METHOD(cpe_string)
{
	(void)args;
	const struct package *p = receiver;
	if (!p->cpe.vendor.s.n)
		return err_set(err, EK_OTHER, "vendor value must be exactly specified");
	*ret = gval_str(package_cpe(p, a));
	return true;
}

METHOD(package_url)
{
	(void)err;
	const struct package *p = receiver;
	*ret = gval_str(package_purl(args[0], p->name.s, package_full_version(p, a), args[1], a));
	return true;
}

METHOD(cpe_is_zero)
{
	(void)args, (void)a, (void)err;
	const struct cpe *c = receiver;
	const struct ystr *fields[] = { &c->part, &c->vendor, &c->product, &c->edition,
		&c->language, &c->sw_edition, &c->target_sw, &c->target_hw, &c->other };
	bool zero = true;
	for (size_t i = 0; i < countof(fields); i++)
		zero = zero && fields[i]->s.n == 0;
	*ret = gval_bool(zero);
	return true;
}

static const struct gmethod methods[] = {
	{ "the build file", "Name", 0, config_name },
	{ "package", "FullVersion", 0, full_version },
	{ "package", "LicenseExpression", 0, license },
	{ "package", "FullCopyright", 0, full_copyright },
	{ "package", "CPEString", 0, cpe_string },
	{ "package", "PackageURL", 2, package_url },
	{ "cpe", "IsZero", 0, cpe_is_zero },
};

const struct gmethod *gval_method(struct gval v, struct str name)
{
	if (v.kind != GV_STRUCT || !v.p)
		return NULL;
	for (size_t i = 0; i < countof(methods); i++)
		if (str_is(str_of(v.schema->name), methods[i].type) && str_is(name, methods[i].name))
			return &methods[i];
	return NULL;
}

struct strs gval_names(struct gval v, struct arena *a)
{
	struct strs names = { 0 };
	if (v.kind != GV_STRUCT)
		return names;
	size_t next = 0;
	for (struct gfield f; (f = gval_field_at(v, &next, a)).name[0];)
		strs_push(a, &names, arena_str(a, str_of(f.name)));
	for (size_t i = 0; i < countof(methods); i++)
		if (str_is(str_of(v.schema->name), methods[i].type))
			strs_push(a, &names, str_of(methods[i].name));
	return names;
}
