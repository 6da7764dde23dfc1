#include <stddef.h>
#include "shared/text/bind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct thing {
	struct ystr name;
	struct ystrs list;
	struct ykvs kvs;
	bool flag;
	int64_t num, wait;
	uint64_t big;
	struct opt_int opt;
	struct thing *ptr;
	struct bind_list kids;
	struct bind_map named;
	const struct ynode *raw, *node;
};

#define FIELD(k, t, m) { .key = k, .type = t, .offset = offsetof(struct thing, m) }
#define SELF(k, t, m) \
	{ .key = k, .type = t, .offset = offsetof(struct thing, m), .flags = BIND_RECURSE }

static const struct bind_field fields[] = {
	FIELD("name", BIND_STR, name), FIELD("list", BIND_STRS, list),
	FIELD("kvs", BIND_KVS, kvs), FIELD("flag", BIND_BOOL, flag),
	FIELD("num", BIND_INT, num), FIELD("wait", BIND_DURATION, wait),
	FIELD("big", BIND_UINT, big), FIELD("opt", BIND_OPT_INT, opt),
	FIELD("raw", BIND_NODE, raw), SELF("ptr", BIND_STRUCT_PTR, ptr),
	SELF("kids", BIND_LIST, kids), SELF("named", BIND_MAP, named),
	{ 0 },
};
static const struct bind_schema schema = {
	"thing", sizeof(struct thing), fields, offsetof(struct thing, node), false,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct thing thing = { 0 };
	struct diags d;
	struct ydoc doc;

	if (!ydoc_parse(str_n((const char *)data, size), "f", &a, &doc, &err))
		return 0;
	diags_init(&d, &a, &doc);
	bind_struct(&schema, doc.root, &thing, &a, &d);
	(void)!diags_ok(&d, &err);
	return 0;
}
