#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "apko/oci/oimage.h"
#include "apko/oci/oindex.h"
#include "shared/base/tstamp.h"
#include "shared/os/fd.h"
#include "shared/text/jread.h"

/* Documents that the real tool made, where the recordings are at hand: description, layers, time
 * and user in, configuration, manifest and index out to the byte. */

#define GOLDEN SOURCE_DIR "/../shared/data/image-golden"

static const struct golden_case {
	const char *name, *arch, *title;	/* title: in file names */
	const char *cli[4];
	bool whole_index;
} golden_cases[] = {
	{ "minimal", "x86_64", "amd64", { NULL }, true },
	{ "annotations", "x86_64", "amd64", { "foo.bar", "x:y", "zz.last", "2" }, true },
	{ "entry-command", "x86_64", "amd64", { NULL }, true },
	{ "entry-shell", "x86_64", "amd64", { NULL }, true },
	{ "service-bundle", "x86_64", "amd64", { NULL }, true },
	{ "scalars", "x86_64", "amd64", { NULL }, true },
	{ "accounts", "x86_64", "amd64", { NULL }, true },
	{ "layers-2", "x86_64", "amd64", { NULL }, true },
	{ "layers-4", "x86_64", "amd64", { NULL }, true },
	{ "include-build", "x86_64", "amd64", { NULL }, true },
	{ "archs-variants", "armhf", "armv6", { NULL }, false },
	{ "archs-variants", "armv7", "armv7", { NULL }, false },
};

static struct str recorded(const struct golden_case *c, const char *name, struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	if (!file_read(arena_printf(a, GOLDEN "/%s/expected/out.%s", c->name, name), &b, &err))
		fail_msg("%s", err.msg);
	return arena_str(a, buf_str(&b));
}

static struct jval *parsed(struct str json, struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	struct jval *v;
	if (!jread(json, "recorded", a, &v, &err))
		fail_msg("%s", err.msg);
	return v;
}

static size_t read_layers(const struct jval *config, const struct jval *manifest,
	struct oci_layer *layers)
{
	const struct jval *ids = jget(jget(config, "rootfs"), "diff_ids");
	const struct jval *list = jget(manifest, "layers");
	assert_true(ids->n == list->n && ids->n <= 16);
	for (size_t i = 0; i < ids->n; i++) {
		struct oci_layer *l = &layers[i];
		*l = (struct oci_layer){ .desc = { .type = S(OCI_TYPE_LAYER),
			.size = (uint64_t)jget(list->items[i], "size")->i } };
		memcpy(l->diff_hex, ids->items[i]->s.p + 7, 64);
		memcpy(l->desc.hex, jget_str(list->items[i], "digest").p + 7, 64);
	}
	return ids->n;
}

static void same(const struct golden_case *c, const char *what, struct str got, struct str want)
{
	if (!str_eq(got, want))
		fail_msg("%s: %s is\n%.*s\nnot\n%.*s", c->name, what, STR_ARG(got),
			STR_ARG(want));
}

static void run_case(const struct golden_case *c)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf index = BUF_INIT(BUF_NOLIMIT);
	struct imgconf conf = { 0 };
	struct oci_layer layers[16];
	struct ykvs cli = { 0 };
	struct oci_kvs annotations;
	struct oci_image img;
	int64_t created = 0;
	const char *dir = arena_printf(&a, GOLDEN "/%s", c->name);
	struct str config = recorded(c, arena_printf(&a, "%s.config.json", c->title), &a);
	struct str manifest = recorded(c, arena_printf(&a, "%s.manifest.json", c->title), &a);
	struct jval *v = parsed(config, &a);
	assert_true(tstamp_parse(jget_str(v, "created"), &created, &err));
	for (size_t i = 0; i < countof(c->cli) && c->cli[i]; i += 2)
		vec_push(&a, &cli, (struct ykv){ str_of(c->cli[i]),
			{ .s = str_of(c->cli[i + 1]) } });
	if (chdir(dir) < 0 || !imgconf_load("apko.yaml", NULL, &a, &conf, NULL, &err))
		fail_msg("%s: %s", c->name, err.msg ? err.msg : "no such directory");
	oci_annotations(&conf, &cli, created, &a, &annotations);
	struct oci_image_req req = { .conf = &conf, .arch = apk_arch_find(str_of(c->arch)),
		.run_as = jget_str(jget(v, "config"), "User"), .annotations = &annotations,
		.created = created, .layers = layers };
	req.n_layers = read_layers(v, parsed(manifest, &a), layers);
	if (!oci_image_make(&req, &a, &img, &err))
		fail_msg("%s: %s", c->name, err.msg);
	same(c, "configuration", img.config_json, config);
	same(c, "manifest", img.manifest_json, manifest);
	oci_index_write(&img, 1, &annotations, &index);
	if (c->whole_index)
		same(c, "index", buf_str(&index), recorded(c, "index.json", &a));
}

static void recorded_documents(void **state)
{
	(void)state;
	if (access(GOLDEN, R_OK) != 0) {
		print_message("no recorded images here\n");
		skip();
	}
	for (size_t i = 0; i < countof(golden_cases); i++)
		run_case(&golden_cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(recorded_documents) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
