#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apko/oci/base.h"
#include "apko/oci/dockertar.h"
#include "apko/oci/layout.h"
#include "apko/oci/oindex.h"
#include "shared/archive/tar.h"
#include "shared/base/map.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* Layouts and archives on disk, written and read back. */

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct output {
	struct arena arena;
	char *dir;
	struct imgconf conf;
	struct oci_image imgs[2];
	struct str index;
};

static struct oci_layer layer_file(struct output *o, const char *name, const char *text)
{
	auto_err struct err err = ERR_INIT;
	struct oci_layer l = { .desc = oci_desc_of(OCI_TYPE_LAYER, str_of(text)) };
	memcpy(l.diff_hex, l.desc.hex, sizeof(l.diff_hex));
	l.path = arena_printf(&o->arena, "%s/%s", o->dir, name);
	assert_true(file_write(l.path, text, strlen(text), 0444, &err));
	return l;
}

static void open_output(struct output *o)
{
	static const char *const archs[] = { "armhf", "x86_64" };
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf json = BUF_INIT(BUF_NOLIMIT);
	struct oci_kvs annotations;
	memset(o, 0, sizeof(*o));
	o->dir = dir_temp(&o->arena, "oci-test-", &err);
	assert_non_null(o->dir);
	oci_annotations(&o->conf, NULL, 0, &o->arena, &annotations);
	struct oci_layer layers[2] = { layer_file(o, "shared", "same for both"),
		layer_file(o, "own", "of one only") };
	for (size_t i = 0; i < 2; i++) {
		struct oci_image_req req = { .conf = &o->conf,
			.arch = apk_arch_find(str_of(archs[i])), .annotations = &annotations,
			.layers = layers, .n_layers = i + 1 };
		assert_true(oci_image_make(&req, &o->arena, &o->imgs[i], &err));
	}
	oci_images_sort(o->imgs, 2);
	oci_index_write(o->imgs, 2, &annotations, &json);
	o->index = arena_str(&o->arena, buf_str(&json));
}

static void close_output(struct output *o)
{
	auto_err struct err err = ERR_INIT;
	assert_true(dir_remove(o->dir, &err));
	arena_release(&o->arena);
}

static const char *in(struct output *o, const char *path)
{
	return arena_printf(&o->arena, "%s/%s", o->dir, path);
}

static void holds(const char *path, struct str want)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf got = BUF_INIT(1 << 20);
	struct stat st;
	if (!file_read(path, &got, &err))
		fail_msg("%s", err.msg);
	assert_true(str_eq(buf_str(&got), want));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static const char *blob_in(struct output *o, const char *dir, const char *hex)
{
	return arena_printf(&o->arena, "%s/%s/blobs/sha256/%s", o->dir, dir, hex);
}

static void check_layout(struct output *o, const char *dir)
{
	holds(in(o, arena_printf(&o->arena, "%s/index.json", dir)), o->index);
	holds(in(o, arena_printf(&o->arena, "%s/oci-layout", dir)),
		S("{\n    \"imageLayoutVersion\": \"1.0.0\"\n}"));
	for (size_t i = 0; i < 2; i++) {
		const struct oci_image *img = &o->imgs[i];
		holds(blob_in(o, dir, img->config.hex), img->config_json);
		holds(blob_in(o, dir, img->manifest.hex), img->manifest_json);
	}
	holds(blob_in(o, dir, o->imgs[1].layers[0].desc.hex), S("same for both"));
	holds(blob_in(o, dir, o->imgs[0].layers[1].desc.hex), S("of one only"));
}

static void layouts(void **state)
{
	auto_err struct err err = ERR_INIT;
	struct output o;
	struct stat from, to;
	(void)state;
	open_output(&o);
	mode_t old = umask(077);
	if (!oci_layout_write(in(&o, "out"), o.imgs, 2, o.index, &err))
		fail_msg("%s", err.msg);
	check_layout(&o, "out");
	const struct oci_layer *l = &o.imgs[0].layers[1];
	const char *path = blob_in(&o, "out", l->desc.hex);
	assert_true(stat(l->path, &from) == 0 && stat(path, &to) == 0);
	assert_int_equal(from.st_ino, to.st_ino);

	/* what is there and is not ours is replaced, of whatever size; a link is not followed */
	static const char *const others[] = { "of one onlX", "longer than the blob was" };
	for (size_t i = 0; i < countof(others); i++) {
		assert_int_equal(unlink(path), 0);
		assert_true(file_write(path, others[i], strlen(others[i]), 0600, &err));
		assert_true(oci_layout_write(in(&o, "out"), o.imgs, 2, o.index, &err));
		check_layout(&o, "out");
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(in(&o, "elsewhere"), path), 0);
	assert_true(oci_layout_write(in(&o, "out"), o.imgs, 2, o.index, &err));
	check_layout(&o, "out");
	assert_int_equal(access(in(&o, "elsewhere"), F_OK), -1);

	/* a copy with our time is left alone */
	const struct timespec times[2] = { from.st_atim, from.st_mtim };
	assert_int_equal(unlink(path), 0);
	assert_true(file_write(path, "of one onlY", 11, 0644, &err));
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_true(oci_layout_write(in(&o, "out"), o.imgs, 2, o.index, &err));
	holds(path, S("of one onlY"));
	umask(old);
	close_output(&o);
}

#define OTHER_FS "/dev/shm"

static void layouts_on_another_file_system(void **state)
{
	auto_err struct err err = ERR_INIT;
	struct output o;
	struct stat here, there, from, to;
	(void)state;
	open_output(&o);
	const char *far = arena_printf(&o.arena, OTHER_FS "/oci-test-%ld", (long)getpid());
	struct oci_layer *l = &o.imgs[0].layers[1];
	if (stat(OTHER_FS, &there) < 0 || stat(o.dir, &here) < 0 || here.st_dev == there.st_dev ||
		!file_write(far, "of one only", 11, 0400, &err)) {
		close_output(&o);
		print_message("no second file system here\n");
		skip();
	}
	l->path = far;
	for (int run = 0; run < 2; run++) {
		if (!oci_layout_write(in(&o, "out"), o.imgs, 2, o.index, &err))
			fail_msg("%s", err.msg);
		check_layout(&o, "out");
		assert_true(stat(far, &from) == 0 &&
			stat(blob_in(&o, "out", l->desc.hex), &to) == 0);
		assert_int_equal(from.st_mtim.tv_nsec, to.st_mtim.tv_nsec);
		assert_true(run == 0 || to.st_ino == here.st_ino);
		here = to;
	}
	assert_int_equal(unlink(far), 0);
	close_output(&o);
}

static void layer_of_wrong_size(void **state)
{
	auto_err struct err err = ERR_INIT;
	struct output o;
	(void)state;
	open_output(&o);
	o.imgs[0].layers[0].desc.size++;
	assert_false(oci_layout_write(in(&o, "out"), o.imgs, 2, o.index, &err));
	assert_non_null(strstr(err.msg, "13 bytes instead of 14"));
	assert_int_equal(access(in(&o, "out/index.json"), F_OK), -1);
	close_output(&o);
}

/* Members by name: "TYPE CONTENT" or "TYPE TARGET"; order is the tar's. */
static void read_tar(struct str bytes, struct map *members, struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	struct mem_source from;
	struct tar_reader r;
	struct tar_entry e;
	int more;
	mem_source_init(&from, bytes);
	tar_reader_init(&r, &from.src, "tar", a);
	while ((more = tar_next(&r, &e, &err)) == 1) {
		char *text = arena_alloc(a, e.size + 1);
		ssize_t n = e.size ? tar_read(&r, text, e.size, &err) : 0;
		assert_int_equal(n, e.size);
		assert_int_equal(e.mode, 0644);
		assert_true(e.uid == 0 && e.gid == 0 && e.mtime == 0);
		struct str *val = arena_new(a, struct str);
		*val = arena_strf(a, "%c %.*s%s", e.type, STR_ARG(e.link), text);
		assert_null(map_put(members, arena_str(a, e.name), val));
	}
	assert_int_equal(more, 0);
	assert_true(r.ended && tar_finish(&r, &err));
	assert_int_equal(r.at, bytes.n);
}

static void member_is(struct output *o, const struct map *m, const char *name, char type,
	struct str text)
{
	const struct str *got = map_get(m, str_of(name));
	if (!got)
		fail_msg("no member '%s'", name);
	assert_string_equal(got->p, arena_printf(&o->arena, "%c %.*s", type, STR_ARG(text)));
}

static struct str text(struct output *o, const char *prefix, const char *hex, const char *suffix)
{
	return arena_strf(&o->arena, "%s%s%s", prefix, hex, suffix);
}

static void check_members(struct output *o, const struct map *m)
{
	const struct oci_image *amd = &o->imgs[0], *arm = &o->imgs[1];
	const char *one = amd->layers[0].desc.hex, *two = amd->layers[1].desc.hex;
	member_is(o, m, "manifest.json", '0',
		arena_strf(&o->arena,
			"[{\"Config\":\"sha256:%s\",\"RepoTags\":[\"a.example/app:v1-amd64\"],"
			"\"Layers\":[\"%s.tar.gz\",\"%s.tar.gz\"]},{\"Config\":\"sha256:%s\","
			"\"RepoTags\":[\"a.example/app:v1-arm_v6\"],\"Layers\":[\"%s.tar.gz\"]}]",
			amd->config.hex, one, two, arm->config.hex, one));
	member_is(o, m, "index.json", '0', o->index);
	member_is(o, m, "oci-layout", '0', str_of(oci_layout_text));
	for (size_t i = 0; i < 2; i++) {
		const struct oci_image *img = &o->imgs[i];
		struct str config = text(o, "sha256:", img->config.hex, "");
		struct str manifest = text(o, "sha256:", img->manifest.hex, "");
		member_is(o, m, config.p, '0', img->config_json);
		member_is(o, m, manifest.p, '0', img->manifest_json);
		member_is(o, m, text(o, "blobs/sha256/", img->config.hex, "").p, '1', config);
		member_is(o, m, text(o, "blobs/sha256/", img->manifest.hex, "").p, '1',
			manifest);
	}
	member_is(o, m, text(o, "", one, ".tar.gz").p, '0', S("same for both"));
	member_is(o, m, text(o, "blobs/sha256/", two, "").p, '1', text(o, "", two, ".tar.gz"));
	assert_int_equal(m->n, 3 + 2 * 4 + 2 * 2);
}

static void archives(void **state)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf tar = BUF_INIT(1 << 20);
	struct map members;
	struct output o;
	struct oci_ref ref;
	(void)state;
	open_output(&o);
	const char *path = in(&o, "out.tar");
	assert_true(oci_ref_parse(S("a.example/app:v1"), &o.arena, &ref, &err));
	/* something longer is there already */
	assert_true(file_write(path, "x", 1, 0600, &err));
	assert_int_equal(truncate(path, 1 << 20), 0);
	if (!oci_dockertar_write(path, &ref, o.imgs, 2, o.index, &err))
		fail_msg("%s", err.msg);
	assert_true(file_read(path, &tar, &err));
	map_init(&members, &o.arena);
	read_tar(buf_str(&tar), &members, &o.arena);
	check_members(&o, &members);
	map_release(&members);

	assert_true(oci_ref_parse(S("a.example/bb@sha256:" HEX), &o.arena, &ref, &err));
	assert_false(oci_dockertar_write(in(&o, "no.tar"), &ref, o.imgs, 2, o.index, &err));
	assert_int_equal(err.kind, EK_USAGE);
	assert_int_equal(access(in(&o, "no.tar"), F_OK), -1);
	close_output(&o);
}

static void put(struct output *o, const char *dir, const char *name, struct str bytes)
{
	auto_err struct err err = ERR_INIT;
	assert_true(file_write(arena_printf(&o->arena, "%s/%s/%s", o->dir, dir, name), bytes.p,
		bytes.n, 0644, &err));
}

static void bases(void **state)
{
	auto_err struct err err = ERR_INIT;
	struct output o;
	struct oci_base base;
	(void)state;
	open_output(&o);
	assert_true(oci_layout_write(in(&o, "out"), o.imgs, 2, o.index, &err));
	const char *dir = in(&o, "out");
	const struct apk_arch *amd = apk_arch_find(S("x86_64")), *arm = apk_arch_find(S("armv7"));
	if (!oci_base_read(dir, amd, &o.arena, &base, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(base.n_layers, 2);
	assert_string_equal(base.layers[1].desc.hex, o.imgs[0].layers[1].desc.hex);
	assert_string_equal(base.layers[1].path,
		blob_in(&o, "out", o.imgs[0].layers[1].desc.hex));
	assert_int_equal(base.annotations.n, 1);
	/* variants do not count */
	assert_true(oci_base_read(dir, arm, &o.arena, &base, &err));
	assert_int_equal(base.n_layers, 1);
	assert_false(oci_base_read(dir, apk_arch_find(S("s390x")), &o.arena, &base, &err));
	assert_int_equal(err.kind, EK_NOTFOUND);
	err_release(&err);

	/* an index within the index is entered */
	struct oci_desc inner = oci_desc_of(OCI_TYPE_INDEX, o.index);
	struct str outer = arena_strf(&o.arena,
		"{\"manifests\":[{\"mediaType\":\"" OCI_TYPE_INDEX
		"\",\"size\":%zu,\"digest\":\"sha256:%s\"}]}",
		o.index.n, inner.hex);
	put(&o, "out/blobs/sha256", inner.hex, o.index);
	put(&o, "out", "index.json", outer);
	assert_true(oci_base_read(dir, amd, &o.arena, &base, &err));

	/* what is not what its name says is refused */
	put(&o, "out/blobs/sha256", inner.hex, S("{\"manifests\":[]}"));
	assert_false(oci_base_read(dir, amd, &o.arena, &base, &err));
	assert_int_equal(err.kind, EK_TRUST);
	err_release(&err);
	static const char *const bad[] = { "", "7", "{\"manifests\":7}", "{\"manifests\":[7]}",
		"{\"manifests\":[{\"digest\":\"sha256:../../x\",\"size\":1}]}",
		"{\"manifests\":[{\"digest\":\"sha256:" HEX "\",\"size\":-1}]}" };
	for (size_t i = 0; i < countof(bad); i++) {
		put(&o, "out", "index.json", str_of(bad[i]));
		assert_false(oci_base_read(dir, amd, &o.arena, &base, &err));
		assert_int_equal(err.kind, EK_PARSE);
		err_release(&err);
	}
	close_output(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts),
		cmocka_unit_test(layouts_on_another_file_system),
		cmocka_unit_test(layer_of_wrong_size),
		cmocka_unit_test(archives),
		cmocka_unit_test(bases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
