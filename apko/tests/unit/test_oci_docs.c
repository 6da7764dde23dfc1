#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "apko/oci/oimage.h"
#include "apko/oci/oindex.h"
#include "shared/crypto/digest.h"

/* Documents to the byte. Descriptions are filled as the loader of image files does it. */

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define PATH_ENV "\"PATH=/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin\""
#define CERT_ENV "\"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\""
#define TIME "2022-06-18T12:32:35Z"
#define CREATED "\"org.opencontainers.image.created\":\"" TIME "\""
#define EPOCH 1655555555

static struct ystr y(const char *s)
{
	return (struct ystr){ .s = str_of(s) };
}

static void kv(struct arena *a, struct ykvs *to, const char *key, const char *val)
{
	vec_push(a, to, (struct ykv){ str_of(key), y(val) });
}

static struct oci_layer layer(const char *diff, const char *hex, uint64_t size)
{
	struct oci_layer l = { .desc = { .type = S(OCI_TYPE_LAYER), .size = size } };
	memcpy(l.desc.hex, hex, 65);
	memcpy(l.diff_hex, diff, 65);
	return l;
}

static struct oci_image make(struct imgconf *conf, const char *arch, const char *run_as,
	size_t n_layers, const struct oci_base *base, struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	struct oci_layer layers[2] = { layer(HEX_A, HEX_B, 10), layer(HEX_B, HEX_C, 20) };
	struct oci_kvs annotations;
	struct oci_image img;
	oci_annotations(conf, NULL, EPOCH, a, &annotations);
	struct oci_image_req req = { .conf = conf, .arch = apk_arch_find(str_of(arch)),
		.run_as = str_of(run_as), .annotations = &annotations, .created = EPOCH,
		.layers = layers, .n_layers = n_layers, .base = base };
	if (!oci_image_make(&req, a, &img, &err))
		fail_msg("%s", err.msg);
	return img;
}

static void is(struct str got, const char *want)
{
	assert_string_equal(got.p, want);
	assert_int_equal(got.n, strlen(want));
}

static void plain(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct imgconf conf = { 0 };
	(void)state;
	struct oci_image img = make(&conf, "x86_64", NULL, 1, NULL, &a);
	is(img.config_json,
		"{\"architecture\":\"amd64\",\"author\":\"github.com/chainguard-dev/apko\","
		"\"created\":\"" TIME "\",\"history\":[{\"author\":\"apko\",\"created\":\"" TIME
		"\",\"created_by\":\"apko\",\"comment\":\"This is an apko single-layer image\"}],"
		"\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX_A
		"\"]},\"config\":{\"Env\":[" PATH_ENV "," CERT_ENV "],\"Labels\":{" CREATED "}}}");
	is(img.manifest_json,
		arena_printf(&a,
			"{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_MANIFEST
			"\",\"config\":{\"mediaType\":\"" OCI_TYPE_CONFIG
			"\",\"size\":%zu,\"digest\":\"sha256:%s\"},\"layers\":[{\"mediaType\":"
			"\"" OCI_TYPE_LAYER "\",\"size\":10,\"digest\":\"sha256:" HEX_B
			"\"}],\"annotations\":{" CREATED "}}",
			img.config_json.n, img.config.hex));
	assert_int_equal(img.manifest.size, img.manifest_json.n);
}

static void everything_set(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct imgconf conf = { .cmd = y("serve \"\" -n"), .stop_signal = y("SIGQUIT"),
		.work_dir = y("/srv"), .vcs_url = y("https://x/y.git@f00") };
	(void)state;
	conf.entrypoint.command = y("/bin/app 'a b'");
	kv(&a, &conf.environment, "PATH", "");
	kv(&a, &conf.environment, "HTML", "<a&b>");
	kv(&a, &conf.annotations, "zz", "1");
	kv(&a, &conf.annotations, "org.opencontainers.image.vendor", "V");
	kv(&a, &conf.annotations, "org.opencontainers.image.title", "T");
	kv(&a, &conf.annotations, "org.opencontainers.image.created", "mine");
	vec_push(&a, &conf.volumes, y("/var/x"));
	vec_push(&a, &conf.volumes, y("/data"));
	vec_push(&a, &conf.volumes, y("/var/x"));
	struct oci_image img = make(&conf, "armv7", "65532", 2, NULL, &a);
#define HISTORY                                                                                    \
	"{\"author\":\"apko\",\"created\":\"" TIME                                                 \
	"\",\"created_by\":\"apko\",\"comment\":\"T by V\"}"
	is(img.config_json,
		"{\"architecture\":\"arm\",\"author\":\"github.com/chainguard-dev/apko\","
		"\"created\":\"" TIME "\",\"history\":[" HISTORY "," HISTORY
		"],\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX_A
		"\",\"sha256:" HEX_B
		"\"]},\"config\":{\"Cmd\":[\"serve\",\"\",\"-n\"],\"Entrypoint\":[\"/bin/app\","
		"\"a b\"],\"Env\":[\"HTML=\\u003ca\\u0026b\\u003e\",\"PATH=\"," CERT_ENV
		"],\"Labels\":{" CREATED ",\"org.opencontainers.image.revision\":\"f00\","
		"\"org.opencontainers.image.source\":\"https://x/y.git\","
		"\"org.opencontainers.image.title\":\"T\","
		"\"org.opencontainers.image.vendor\":\"V\",\"zz\":\"1\"},\"User\":\"65532\","
		"\"Volumes\":{\"/data\":{},\"/var/x\":{}},\"WorkingDir\":\"/srv\","
		"\"StopSignal\":\"SIGQUIT\"},\"variant\":\"v7\"}");
}

static void shell_fragment_and_two_layers(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct imgconf conf = { 0 };
	(void)state;
	conf.entrypoint.command = y("/bin/ignored");
	conf.entrypoint.shell_fragment = y("echo \"a\" && b\n");
	struct oci_image img = make(&conf, "aarch64", NULL, 2, NULL, &a);
	assert_non_null(strstr(img.config_json.p,
		"\"Entrypoint\":[\"/bin/sh\",\"-c\",\"echo \\\"a\\\" \\u0026\\u0026 b\\n\"]"));
	assert_null(strstr(img.config_json.p, "comment"));
	assert_null(strstr(img.config_json.p, "variant"));
}

static void command_line_wins(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct imgconf conf = { .vcs_url = y("no hash") };
	struct ykvs cli = { 0 };
	struct oci_kvs got;
	(void)state;
	kv(&a, &conf.annotations, "k", "file");
	kv(&a, &conf.annotations, "a", "file");
	kv(&a, &cli, "k", "flag");
	oci_annotations(&conf, &cli, 0, &a, &got);
	assert_int_equal(got.n, 3);
	is(oci_kvs_get(&got, S("k")), "flag");
	is(oci_kvs_get(&got, S("a")), "file");
	is(oci_kvs_get(&got, S("org.opencontainers.image.created")), "1970-01-01T00:00:00Z");
}

static void bad_commands(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct imgconf conf = { .cmd = y("a \"b") };
	struct oci_kvs none = { 0 };
	struct oci_image img;
	(void)state;
	struct oci_image_req req = { .conf = &conf, .arch = apk_arch_find(S("x86_64")),
		.annotations = &none };
	assert_false(oci_image_make(&req, &a, &img, &err));
	assert_string_equal(err.msg, "unclosed quote in cmd 'a \"b'");
}

static const char base_json[] =
	"{\"architecture\":\"amd64\",\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}],"
	"\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX_C "\"]},"
	"\"os.features\":[\"f\"],\"config\":{\"Cmd\":[\"c\"],\"Entrypoint\":[\"e\"],"
	"\"Env\":[\"PATH=/b\",\"Q=1=2\",\"N\"],\"Labels\":{\"l\":\"1\"},\"User\":\"7\","
	"\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/w\",\"StopSignal\":\"S\"}}";

static void on_a_base(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct imgconf conf = { 0 };
	struct oci_layer below = layer(HEX_C, HEX_A, 5);
	struct oci_base base = { .layers = &below, .n_layers = 1 };
	(void)state;
	if (!oci_config_read(S(base_json), "base", &a, &base.config, &err))
		fail_msg("%s", err.msg);
	oci_kvs_set(&a, &base.annotations, S("b"), S("1"));
	struct oci_image img = make(&conf, "x86_64", NULL, 1, &base, &a);
	is(img.config_json,
		"{\"architecture\":\"amd64\",\"author\":\"github.com/chainguard-dev/apko\","
		"\"created\":\"" TIME "\",\"history\":[{\"created_by\":\"x\",\"empty_layer\":true},"
		"{\"author\":\"apko\",\"created\":\"" TIME "\",\"created_by\":\"apko\","
		"\"comment\":\"This is an apko single-layer image\"}],\"os\":\"linux\","
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX_C
		"\",\"sha256:" HEX_A "\"]},\"config\":{\"Cmd\":[\"c\"],\"Entrypoint\":[\"e\"],"
		"\"Env\":[\"N=\",\"PATH=/b\",\"Q=1=2\"," CERT_ENV "],\"Labels\":{\"l\":\"1\","
		CREATED "},\"User\":\"7\",\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/w\","
		"\"StopSignal\":\"S\"},\"os.features\":[\"f\"]}");
	assert_non_null(strstr(img.manifest_json.p, "\"annotations\":{\"b\":\"1\"," CREATED "}"));
	assert_int_equal(img.n_layers, 2);
	assert_string_equal(img.layers[0].desc.hex, HEX_A);
	assert_int_equal(base.config.history.n, 1);
}

static void refused_configurations(void **state)
{
	static const char *const bad[] = { "", "[]", "{\"history\":7}", "{\"os.features\":[7]}",
		"{\"config\":{\"Cmd\":\"x\"}}", "{\"rootfs\":{\"diff_ids\":{}}}" };
	(void)state;
	for (size_t i = 0; i < countof(bad); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		struct oci_config c;
		assert_false(oci_config_read(str_of(bad[i]), "base", &a, &c, &err));
		assert_non_null(strstr(err.msg, "base"));
	}
}

static void index_of_several(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf json = BUF_INIT(BUF_NOLIMIT);
	struct imgconf conf = { 0 };
	struct oci_kvs annotations;
	(void)state;
	struct oci_image imgs[] = { make(&conf, "aarch64", NULL, 1, NULL, &a),
		make(&conf, "armv7", NULL, 1, NULL, &a), make(&conf, "x86", NULL, 1, NULL, &a) };
	strs_push(&a, &imgs[0].os_features, S("f"));
	oci_images_sort(imgs, countof(imgs));
	oci_annotations(&conf, NULL, EPOCH, &a, &annotations);
	oci_index_write(imgs, countof(imgs), &annotations, &json);
#define DESC "{\"mediaType\":\"" OCI_TYPE_MANIFEST "\",\"size\":%zu,\"digest\":\"sha256:%s\","
#define TYPE "\"artifactType\":\"" OCI_TYPE_CONFIG "\"}"
	is(buf_str(&json),
		arena_printf(&a,
			"{\"schemaVersion\":2,\"mediaType\":\"" OCI_TYPE_INDEX "\",\"manifests\":["
			DESC "\"platform\":{\"architecture\":\"386\",\"os\":\"linux\"}," TYPE ","
			DESC "\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\","
			"\"variant\":\"v7\"}," TYPE ","
			DESC "\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\","
			"\"os.features\":[\"f\"]}," TYPE "],\"annotations\":{" CREATED "}}",
			imgs[0].manifest_json.n, imgs[0].manifest.hex, imgs[1].manifest_json.n,
			imgs[1].manifest.hex, imgs[2].manifest_json.n, imgs[2].manifest.hex));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(everything_set),
		cmocka_unit_test(shell_fragment_and_two_layers),
		cmocka_unit_test(command_line_wins),
		cmocka_unit_test(bad_commands),
		cmocka_unit_test(on_a_base),
		cmocka_unit_test(refused_configurations),
		cmocka_unit_test(index_of_several),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
