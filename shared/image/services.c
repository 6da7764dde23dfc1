#include "shared/image/services.h"

#include "shared/base/buf.h"
#include "shared/os/path.h"

#define MAX_SCRIPT (16u << 20)

static bool write_service(struct tree *t, const struct ykv *s, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf text = BUF_INIT(MAX_SCRIPT);
	if (!path_is_safe(s->key) || str_chr(s->key, '/') >= 0)
		return err_at(err, s->val.at ? s->val.at->pos : (struct pos){0},
			"'%.*s' cannot be the name of a service", STR_ARG(s->key));
	buf_adds(&text, "#!/bin/execlineb\n");
	buf_addstr(&text, s->val.s);
	buf_addc(&text, '\n');
	if (text.over)
		return err_set(err, EK_PARSE, "service '%.*s' is too long", STR_ARG(s->key));
	struct str dir = arena_strf(&a, "sv/%.*s", STR_ARG(s->key));
	struct str run = arena_strf(&a, "sv/%.*s/run", STR_ARG(s->key));
	return tree_mkdirs(t, dir, 0777, err) && tree_put(t, run, buf_str(&text), 0755, err);
}

bool services_write(struct tree *t, const struct ykvs *services, struct err *err)
{
	for (size_t i = 0; i < services->n; i++)
		if (!write_service(t, &services->v[i], err))
			return false;
	return true;
}
