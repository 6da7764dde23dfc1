#include "melange/cmd/build_opts.h"

#include <string.h>
#include <unistd.h>

const struct apk_arch *build_opts_arch(struct str name, struct err *err)
{
	if (str_is(name, "host"))
		return apk_arch_host();
	const struct apk_arch *arch = apk_arch_find(name);
	if (arch)
		return arch;
	(void)err_set(err, EK_USAGE, "unknown architecture '%.*s'", STR_ARG(name));
	(void)err_hint(err, "use x86_64, aarch64, x86, armhf, armv7, loongarch64, ppc64le, riscv64, "
		"s390x, host or all");
	return NULL;
}

bool build_opts_archs(const struct build_opts *o, struct archs *ret, struct err *err)
{
	bool want[APK_ARCHS] = { false };
	bool all = o->archs.n == 0 || (o->archs.n == 1 && str_is(o->archs.v[0], "all"));
	for (size_t i = 0; !all && i < o->archs.n; i++) {
		const struct apk_arch *a = build_opts_arch(o->archs.v[i], err);
		if (!a)
			return false;
		want[a - apk_archs] = true;
	}
	ret->n = 0;
	for (size_t i = 0; i < APK_ARCHS; i++)
		if (all || want[i])
			ret->v[ret->n++] = &apk_archs[i];
	return true;
}

bool build_opts_config(const struct strs *args, const char **ret_path, struct err *err)
{
	static const char *const names[] = { ".melange.yaml", ".melange.yml", "melange.yaml",
		"melange.yml" };
	if (args->n) {
		*ret_path = args->v[0].p;
		return true;
	}
	for (size_t i = 0; i < countof(names); i++) {
		if (access(names[i], F_OK) == 0) {
			*ret_path = names[i];
			return true;
		}
	}
	(void)err_set(err, EK_USAGE, "melange.yaml is missing");
	return err_hint(err, "name the build file, or run in its directory");
}

const struct sandbox_ops *build_opts_runner(const struct build_opts *o, struct err *err)
{
	if (!*o->runner || strcmp(o->runner, sandbox_bwrap.name) == 0)
		return &sandbox_bwrap;
	(void)err_set(err, EK_USAGE, "unknown runner: %s", o->runner);
	(void)err_hint(err, "use bubblewrap");
	return NULL;
}

static struct ystr text(const char *s)
{
	return (struct ystr){ str_of(s), NULL };
}

void build_opts_load(const struct build_opts *o, struct load_opts *ret)
{
	*ret = (struct load_opts){
		.vars_file = *o->vars_file ? o->vars_file : NULL,
		.env_files = &o->env_files,
		.build_options = &o->build_options,
		.commit = *o->git_commit ? o->git_commit : NULL,
		.detect_commit = true,
		.resources = { text(o->cpu), text(o->cpumodel), text(o->memory), text(o->disk) },
		.timeout = o->timeout,
	};
}

void build_opts_compile(const struct build_opts *o, const struct apk_arch *arch, struct arena *a,
	struct compile_opts *ret)
{
	*ret = (struct compile_opts){ .arch = arch, .libc_flavour = o->libc,
		.build_options = &o->build_options };
	if (*o->pipeline_dir)
		strs_push(a, &ret->pipeline_dirs, str_of(o->pipeline_dir));
	for (size_t i = 0; i < o->pipeline_dirs.n; i++)
		strs_push(a, &ret->pipeline_dirs, o->pipeline_dirs.v[i]);
}
