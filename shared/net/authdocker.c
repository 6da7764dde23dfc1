#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "shared/base/buf.h"
#include "shared/crypto/digest.h"
#include "shared/net/auth.h"
#include "shared/os/fd.h"
#include "shared/os/proc.h"
#include "shared/text/jread.h"

#define MAX_CONFIG ((size_t)4 << 20)
#define PROGRAM_TIMEOUT ((int64_t)60 * 1000000000)

struct lookup {
	struct str registry, repo;
	struct arena *arena;
	bool found;
	struct auth_cred cred;
};

static bool is_empty(const struct auth_cred *c)
{
	return c->user.n == 0 && c->password.n == 0 && c->bearer.n == 0 && c->identity.n == 0;
}

/* An entry of "auths": a pair in base64, or its parts, or tokens. */
static bool read_entry(struct lookup *l, const struct jval *entry, const char *path,
	struct err *err)
{
	struct str pair = jget_str(entry, "auth"), bytes;
	struct auth_cred c = {
		.user = jget_str(entry, "username"),
		.password = jget_str(entry, "password"),
		.identity = jget_str(entry, "identitytoken"),
		.bearer = jget_str(entry, "registrytoken"),
	};

	if (pair.n > 0) {
		if (!base64_decode_any(l->arena, pair, &bytes) ||
			!str_cut(bytes, ':', &c.user, &c.password))
			return err_set(err, EK_PARSE, "'%s': malformed 'auth' of registry '%.*s'",
				path, STR_ARG(l->registry));
	}
	l->cred = c;
	l->found = !is_empty(&c);
	return true;
}

static bool is_program_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
			s.p[i], 65))
			return false;
	return s.n > 0 && s.p[0] != '-' && s.p[0] != '.';
}

/* The registry's name on a program's standard input. */
static int program_input(struct str key, struct err *err)
{
	auto_fd int fd = memfd_create("registry", MFD_CLOEXEC);

	if (fd < 0) {
		(void)err_sys(err, "cannot make a memory file");
		return -1;
	}
	if (!fd_write_all(fd, key.p, key.n, "memory file", err))
		return -1;
	if (lseek(fd, 0, SEEK_SET) != 0) {
		(void)err_sys(err, "cannot seek in a memory file");
		return -1;
	}
	return fd_steal(&fd);
}

/* What a program printed: a token in place of a password when the name says so. */
static bool read_program_output(struct lookup *l, struct str out, const char *prog,
	struct err *err)
{
	struct str name, secret;
	struct jval *v;

	if (!jread(out, prog, l->arena, &v, err))
		return err_set(err, EK_PARSE, "'%s' printed no JSON", prog);
	name = jget_str(v, "Username");
	secret = jget_str(v, "Secret");
	if (str_is(name, "<token>"))
		l->cred = (struct auth_cred){ .identity = secret };
	else
		l->cred = (struct auth_cred){ .user = name, .password = secret };
	l->found = !is_empty(&l->cred);
	return true;
}

static bool run_program(struct lookup *l, struct str program, struct str key, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(MAX_CONFIG);
	char *prog = arena_printf(l->arena, "docker-credential-%.*s", STR_ARG(program));
	const char *argv[] = { prog, "get", NULL };
	struct proc_opts o = { .argv = argv, .out = &out, .timeout_ns = PROGRAM_TIMEOUT };
	auto_fd int in = -1;
	int status;

	if (!is_program_name(program))
		return err_set(err, EK_PARSE, "malformed name of a credential program");
	in = program_input(key, err);
	o.stdin_fd = in;
	if (in < 0 || !proc_run(&o, &status, err))
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !out.over)
		return read_program_output(l, buf_str(&out), prog, err);
	if (str_find(buf_str(&out), S("credentials not found")) >= 0)
		return true;
	return err_set(err, EK_CHILD, "'%s' failed for registry '%.*s': %s", prog,
		STR_ARG(l->registry), proc_status_text(l->arena, status));
}

/* One key in one file; store: the program for all registries may know it as well. */
static bool try_key(struct lookup *l, const struct jval *conf, const char *key, bool store,
	const char *path, struct err *err)
{
	struct str program = jget_str(jget(conf, "credHelpers"), key);
	const struct jval *entry = jget(jget(conf, "auths"), key);

	if (program.n == 0 && store)
		program = jget_str(conf, "credsStore");
	if (program.n > 0 && !run_program(l, program, str_of(key), err))
		return false;
	return l->found || !entry || read_entry(l, entry, path, err);
}

static bool is_docker_hub(struct str registry)
{
	return str_is(registry, "docker.io") || str_is(registry, "index.docker.io") ||
		str_is(registry, "registry-1.docker.io");
}

/* The keys a registry may stand under, the most particular first. */
static bool try_keys(struct lookup *l, const struct jval *conf, const char *path,
	struct err *err)
{
	bool hub = is_docker_hub(l->registry);
	const struct {
		const char *name;
		bool store;
	} keys[] = {
		{ arena_printf(l->arena, "%.*s/%.*s", STR_ARG(l->registry), STR_ARG(l->repo)),
			false },
		{ hub ? "https://index.docker.io/v1/" : "", hub },
		{ arena_strndup(l->arena, l->registry.p, l->registry.n), !hub },
		{ arena_printf(l->arena, "https://%.*s", STR_ARG(l->registry)), false },
	};

	for (size_t i = 0; i < countof(keys) && !l->found; i++)
		if (!try_key(l, conf, keys[i].name, keys[i].store, path, err))
			return false;
	return true;
}

static bool try_file(struct lookup *l, const char *path, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_CONFIG);
	struct jval *conf;

	if (access(path, F_OK) != 0)
		return true;
	return file_read(path, &text, err) &&
		jread(buf_str(&text), path, l->arena, &conf, err) &&
		try_keys(l, conf, path, err);
}

/* Where registries' credentials are kept: the first of these variables that is set, and a path
 * below it. Each row is one file. */
static const struct {
	const char *vars[2], *below[2];
} places[] = {
	{ { "DOCKER_CONFIG", "HOME" }, { "/config.json", "/.docker/config.json" } },
	{ { "REGISTRY_AUTH_FILE", NULL }, { "", NULL } },
	{ { "XDG_RUNTIME_DIR", NULL }, { "/containers/auth.json", NULL } },
	{ { "XDG_CONFIG_HOME", "HOME" },
		{ "/containers/auth.json", "/.config/containers/auth.json" } },
};

static char *place_path(size_t i, struct arena *a)
{
	for (size_t k = 0; k < 2 && places[i].vars[k]; k++) {
		const char *val = getenv(places[i].vars[k]);

		if (val && *val)
			return arena_printf(a, "%s%s", val, places[i].below[k]);
	}
	return NULL;
}

static void try_github(struct lookup *l)
{
	const char *token = getenv("GITHUB_TOKEN"), *actor = getenv("GITHUB_ACTOR");

	if (!str_is(l->registry, "ghcr.io") || !token || !*token)
		return;
	l->cred.user = arena_str(l->arena, str_of(actor && *actor ? actor : "unset"));
	l->cred.password = arena_str(l->arena, str_of(token));
	l->found = true;
}

bool auth_registry(struct str registry, struct str repo, struct arena *a, bool *ret_found,
	struct auth_cred *ret_cred, struct err *err)
{
	struct lookup l = { .registry = registry, .repo = repo, .arena = a };

	for (size_t i = 0; i < countof(places) && !l.found; i++) {
		const char *path = place_path(i, a);

		if (path && !try_file(&l, path, err))
			return false;
	}
	if (!l.found)
		try_github(&l);
	*ret_found = l.found;
	if (l.found)
		*ret_cred = l.cred;
	return true;
}
