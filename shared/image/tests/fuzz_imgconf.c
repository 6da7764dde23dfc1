#include <stdint.h>
#include <stdlib.h>
#include "shared/image/imgconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_conf(struct str text, struct arena *a, struct imgconf *ret)
{
	auto_err struct err err = ERR_INIT;
	struct ydoc doc;
	struct diags diags;
	if (!ydoc_parse(text, "c.yaml", a, &doc, &err) || !doc.root)
		return false;
	diags_init(&diags, a, &doc);
	bind_struct(&imgconf_schema, doc.root, ret, a, &diags);
	return diags_ok(&diags, &err) && imgconf_finish(ret, a, &err);
}

static void print(const struct imgconf *c, struct buf *json, struct buf *yaml)
{
	auto_err struct err err = ERR_INIT;
	if (!imgconf_json(c, json, &err) || !imgconf_yaml(c, yaml, &err))
		abort();
}

/* What is accepted can be printed in both forms; a copy prints the same; the YAML is accepted
 * again and prints the same once more. (Not the JSON: a service bundle gets its package anew, and
 * YAML shows absent permissions as 0.) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf json = BUF_INIT(BUF_NOLIMIT), yaml = BUF_INIT(BUF_NOLIMIT);
	auto_buf struct buf json2 = BUF_INIT(BUF_NOLIMIT), yaml2 = BUF_INIT(BUF_NOLIMIT);
	auto_buf struct buf json3 = BUF_INIT(BUF_NOLIMIT), yaml3 = BUF_INIT(BUF_NOLIMIT);
	struct imgconf c = {0}, copy, again = {0};

	if (!read_conf(str_n((const char *)data, size), &a, &c))
		return 0;
	print(&c, &json, &yaml);
	imgconf_copy(&c, &a, &copy);
	print(&copy, &json2, &yaml2);
	if (!str_eq(buf_str(&json), buf_str(&json2)) || !str_eq(buf_str(&yaml), buf_str(&yaml2)))
		abort();
	if (str_is(c.entrypoint.type.s, "service-bundle"))
		return 0;
	if (!read_conf(buf_str(&yaml), &a, &again))
		abort();
	print(&again, &json3, &yaml3);
	if (!str_eq(buf_str(&yaml), buf_str(&yaml3)))
		abort();
	return 0;
}
