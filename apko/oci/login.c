#include "apko/oci/login.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/crypto/digest.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"
#include "shared/os/path.h"
#include "shared/os/proc.h"
#include "shared/text/jread.h"
#include "shared/text/jwrite.h"

#define MAX_CONFIG (4u << 20)
#define PROGRAM_NS (60 * 1000000000ll)

struct login {
	const char *key; /* what the registry stands under */
	struct str user, password;
	struct arena *a;
};

/* A JSON value as it was read. */
static void copy_value(struct jwrite *w, const struct jval *v)
{
	switch (v->kind) {
	case JS_NULL:
		jw_null(w);
		break;
	case JS_BOOL:
		jw_bool(w, v->b);
		break;
	case JS_INT:
		jw_int(w, v->i);
		break;
	case JS_REAL:
		jw_real(w, v->real);
		break;
	case JS_STR:
		jw_str(w, v->s);
		break;
	case JS_ARRAY:
		jw_array(w);
		for (size_t i = 0; i < v->n; i++)
			copy_value(w, v->items[i]);
		jw_array_end(w);
		break;
	case JS_OBJECT:
		jw_object(w);
		for (size_t i = 0; i < v->n; i++) {
			jw_key_str(w, v->members[i].key);
			copy_value(w, v->members[i].val);
		}
		jw_object_end(w);
		break;
	}
}

static void write_entry(struct jwrite *w, const struct login *l)
{
	struct str pair = arena_strf(l->a, "%.*s:%.*s", STR_ARG(l->user), STR_ARG(l->password));
	jw_key(w, l->key);
	jw_object(w);
	jw_kstr(w, "auth", str_of(base64_encode(l->a, (const uint8_t *)pair.p, pair.n)));
	jw_object_end(w);
}

/* The file with the entry for the registry put into "auths". */
static void write_config(struct jwrite *w, const struct jval *conf, const struct login *l)
{
	const struct jval *auths = jget(conf, "auths");
	jw_object(w);
	jw_key(w, "auths");
	jw_object(w);
	for (size_t i = 0; auths && auths->kind == JS_OBJECT && i < auths->n; i++) {
		if (str_is(auths->members[i].key, l->key))
			continue;
		jw_key_str(w, auths->members[i].key);
		copy_value(w, auths->members[i].val);
	}
	write_entry(w, l);
	jw_object_end(w);
	for (size_t i = 0; conf && i < conf->n; i++) {
		if (str_is(conf->members[i].key, "auths"))
			continue;
		jw_key_str(w, conf->members[i].key);
		copy_value(w, conf->members[i].val);
	}
	jw_object_end(w);
}

static bool in_file(
	const struct login *l, const char *path, const struct jval *conf, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(2 * MAX_CONFIG);
	struct str dir = path_dir(str_of(path));
	struct jwrite w;
	jw_init(&w, &out, 2);
	write_config(&w, conf, l);
	buf_addc(&out, '\n');
	return dir_make(arena_strndup(l->a, dir.p, dir.n), 0700, err) &&
	       file_write(path, out.p, out.n, 0600, err);
}

static int request(const struct login *l, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_CONFIG);
	auto_fd int fd = memfd_create("credentials", MFD_CLOEXEC);
	struct jwrite w;
	jw_init(&w, &text, 0);
	jw_object(&w);
	jw_kstr(&w, "ServerURL", str_of(l->key));
	jw_kstr(&w, "Username", l->user);
	jw_kstr(&w, "Secret", l->password);
	jw_object_end(&w);
	if (fd < 0) {
		(void)err_sys(err, "cannot make a memory file");
		return -1;
	}
	if (!fd_write_all(fd, text.p, text.n, "memory file", err))
		return -1;
	if (lseek(fd, 0, SEEK_SET) == 0)
		return fd_steal(&fd);
	(void)err_sys(err, "cannot seek in a memory file");
	return -1;
}

static bool in_program(const struct login *l, const char *program, struct err *err)
{
	const char *const argv[] = {program, "store", NULL};
	auto_buf struct buf said = BUF_INIT(MAX_CONFIG);
	auto_fd int in = request(l, err);
	const struct proc_opts o = {
		.argv = argv, .stdin_fd = in, .out = &said, .timeout_ns = PROGRAM_NS};
	int status;
	if (in < 0 || !proc_run(&o, &status, err))
		return false;
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
	       err_set(err, EK_CHILD, "'%s' could not store credentials: %s", program,
		       proc_status_text(l->a, status));
}

static const char *config_path(struct arena *a)
{
	const char *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	if (dir && *dir)
		return arena_printf(a, "%s/config.json", dir);
	return home && *home ? arena_printf(a, "%s/.docker/config.json", home) : NULL;
}

static const char *key_of(struct str registry, struct arena *a)
{
	bool hub = str_is(registry, "docker.io") || str_is(registry, "index.docker.io");
	return hub ? "https://index.docker.io/v1/" : arena_strndup(a, registry.p, registry.n);
}

/* Names of registries are host[:port]. */
static bool registry_ok(struct str s)
{
	bool ok = s.n > 0 && s.n < 256;
	for (size_t i = 0; i < s.n; i++)
		ok &= s.p[i] > ' ' && s.p[i] < 127 && !strchr("/\\@\"'?#", s.p[i]);
	return ok;
}

static bool read_config(const char *path, struct arena *a, struct jval **ret, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_CONFIG);
	if (access(path, F_OK) != 0)
		return true;
	if (!file_read(path, &text, err) || !jread(buf_str(&text), path, a, ret, err))
		return false;
	return (*ret)->kind == JS_OBJECT || err_set(err, EK_PARSE, "'%s' is no JSON object", path);
}

bool login_store(struct str registry, struct str user, struct str password, struct arena *a,
	struct str *ret_where, struct err *err)
{
	const struct login l = {key_of(registry, a), user, password, a};
	const char *path = config_path(a);
	struct jval *conf = NULL;
	if (!registry_ok(registry))
		return err_set(err, EK_USAGE,
			"'%.*s' is no registry\nhint: give its HOST or "
			"HOST:PORT",
			STR_ARG(registry));
	if (!path)
		return err_set(err, EK_USAGE, "neither HOME nor DOCKER_CONFIG is set");
	if (!read_config(path, a, &conf, err))
		return false;
	struct str program = jget_str(jget(conf, "credHelpers"), l.key);
	if (program.n == 0)
		program = jget_str(conf, "credsStore");
	if (program.n == 0) {
		*ret_where = str_of(path);
		return in_file(&l, path, conf, err);
	}
	*ret_where = arena_strf(a, "docker-credential-%.*s", STR_ARG(program));
	return str_chr(program, '/') < 0 ? in_program(&l, ret_where->p, err)
					 : err_set(err, EK_PARSE,
						   "'%s': malformed name of a "
						   "credential program",
						   path);
}
