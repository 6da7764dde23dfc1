#include "apko/oci/oconfig.h"

#include "shared/text/jread.h"

static void texts_json(struct jwrite *w, const char *key, const struct strs *list)
{
	if (!list->n)
		return;
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < list->n; i++)
		jw_str(w, list->v[i]);
	jw_array_end(w);
}

static void history_json(struct jwrite *w, const struct oci_histories *list)
{
	if (!list->n)
		return;
	jw_key(w, "history");
	jw_array(w);
	for (size_t i = 0; i < list->n; i++) {
		const struct oci_history *h = &list->v[i];
		jw_object(w);
		jw_kstr_opt(w, "author", h->author);
		jw_kstr_opt(w, "created", h->created);
		jw_kstr_opt(w, "created_by", h->created_by);
		jw_kstr_opt(w, "comment", h->comment);
		if (h->empty_layer)
			jw_kbool(w, "empty_layer", true);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void env_json(struct jwrite *w, const struct oci_kvs *env, struct arena *a)
{
	struct strs lines = { 0 };
	for (size_t i = 0; i < env->n; i++)
		strs_push(a, &lines,
			arena_strf(a, "%.*s=%.*s", STR_ARG(env->v[i].key), STR_ARG(env->v[i].val)));
	strs_sort(&lines);
	texts_json(w, "Env", &lines);
}

static void volumes_json(struct jwrite *w, const struct strs *volumes, struct arena *a)
{
	struct strs sorted = { 0 };
	for (size_t i = 0; i < volumes->n; i++)
		strs_push(a, &sorted, volumes->v[i]);
	strs_sort(&sorted);
	strs_uniq(&sorted);
	if (!sorted.n)
		return;
	jw_key(w, "Volumes");
	jw_object(w);
	for (size_t i = 0; i < sorted.n; i++) {
		jw_key_str(w, sorted.v[i]);
		jw_object(w);
		jw_object_end(w);
	}
	jw_object_end(w);
}

static void settings_json(struct jwrite *w, const struct oci_config *c, struct arena *a)
{
	jw_key(w, "config");
	jw_object(w);
	texts_json(w, "Cmd", &c->cmd);
	texts_json(w, "Entrypoint", &c->entrypoint);
	env_json(w, &c->env, a);
	oci_kvs_json(w, "Labels", &c->labels);
	jw_kstr_opt(w, "User", c->user);
	volumes_json(w, &c->volumes, a);
	jw_kstr_opt(w, "WorkingDir", c->work_dir);
	jw_kstr_opt(w, "StopSignal", c->stop_signal);
	jw_object_end(w);
}

void oci_config_write(const struct oci_config *c, struct arena *a, struct buf *out)
{
	struct jwrite w;
	jw_init(&w, out, 0);
	jw_object(&w);
	jw_kstr(&w, "architecture", c->arch);
	jw_kstr_opt(&w, "author", c->author);
	jw_kstr_opt(&w, "created", c->created);
	history_json(&w, &c->history);
	jw_kstr(&w, "os", c->os);
	jw_key(&w, "rootfs");
	jw_object(&w);
	jw_kstr(&w, "type", S("layers"));
	jw_key(&w, "diff_ids");
	jw_array(&w);
	for (size_t i = 0; i < c->diff_ids.n; i++)
		jw_str(&w, c->diff_ids.v[i]);
	jw_array_end(&w);
	jw_object_end(&w);
	settings_json(&w, c, a);
	jw_kstr_opt(&w, "variant", c->variant);
	texts_json(&w, "os.features", &c->os_features);
	jw_object_end(&w);
}

/* Reading */

static bool read_texts(const struct jval *v, const char *key, const char *name, struct arena *a,
	struct strs *ret, struct err *err)
{
	const struct jval *list = jget(v, key);
	if (!list || list->kind == JS_NULL)
		return true;
	for (size_t i = 0; list->kind == JS_ARRAY && i < list->n; i++) {
		if (list->items[i]->kind != JS_STR)
			return err_set(err, EK_PARSE, "'%s': %s holds something else than texts",
				name, key);
		strs_push(a, ret, list->items[i]->s);
	}
	return list->kind == JS_ARRAY ||
		err_set(err, EK_PARSE, "'%s': %s is not a list", name, key);
}

static bool read_history(const struct jval *v, const char *name, struct arena *a,
	struct oci_config *c, struct err *err)
{
	const struct jval *list = jget(v, "history");
	if (!list || list->kind == JS_NULL)
		return true;
	if (list->kind != JS_ARRAY)
		return err_set(err, EK_PARSE, "'%s': history is not a list", name);
	for (size_t i = 0; i < list->n; i++) {
		const struct jval *h = list->items[i], *empty = jget(h, "empty_layer");
		vec_push(a, &c->history,
			(struct oci_history){ .author = jget_str(h, "author"),
				.created = jget_str(h, "created"),
				.created_by = jget_str(h, "created_by"),
				.comment = jget_str(h, "comment"),
				.empty_layer = empty && empty->kind == JS_BOOL && empty->b });
	}
	return true;
}

static bool read_settings(const struct jval *v, const char *name, struct arena *a,
	struct oci_config *c, struct err *err)
{
	struct strs env = { 0 };
	if (!read_texts(v, "Cmd", name, a, &c->cmd, err) ||
		!read_texts(v, "Entrypoint", name, a, &c->entrypoint, err) ||
		!read_texts(v, "Env", name, a, &env, err))
		return false;
	for (size_t i = 0; i < env.n; i++) {
		struct str key, val;
		(void)str_cut(env.v[i], '=', &key, &val);
		oci_kvs_set(a, &c->env, key, val);
	}
	const struct jval *labels = jget(v, "Labels"), *volumes = jget(v, "Volumes");
	for (size_t i = 0; labels && labels->kind == JS_OBJECT && i < labels->n; i++)
		oci_kvs_set(a, &c->labels, labels->members[i].key, labels->members[i].val->s);
	for (size_t i = 0; volumes && volumes->kind == JS_OBJECT && i < volumes->n; i++)
		strs_push(a, &c->volumes, volumes->members[i].key);
	c->user = jget_str(v, "User");
	c->work_dir = jget_str(v, "WorkingDir");
	c->stop_signal = jget_str(v, "StopSignal");
	return true;
}

bool oci_config_read(struct str json, const char *name, struct arena *a, struct oci_config *ret,
	struct err *err)
{
	struct jval *v;
	if (!jread(json, name, a, &v, err))
		return false;
	if (v->kind != JS_OBJECT)
		return err_set(err, EK_PARSE, "'%s' is not an image configuration", name);
	struct oci_config c = { .arch = jget_str(v, "architecture"),
		.variant = jget_str(v, "variant"), .os = jget_str(v, "os"),
		.author = jget_str(v, "author"), .created = jget_str(v, "created") };
	if (!read_texts(v, "os.features", name, a, &c.os_features, err) ||
		!read_history(v, name, a, &c, err) ||
		!read_texts(jget(v, "rootfs"), "diff_ids", name, a, &c.diff_ids, err) ||
		!read_settings(jget(v, "config"), name, a, &c, err))
		return false;
	*ret = c;
	return true;
}
