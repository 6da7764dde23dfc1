#include "apko/cmd/cmd.h"

#include <string.h>
#include <sys/stat.h>

#include "shared/apk/arch.h"
#include "shared/apk/discovery.h"
#include "shared/base/log.h"
#include "shared/net/auth.h"
#include "shared/net/http.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

#define REPOSITORIES "etc/apk/repositories"
#define KEYS "etc/apk/keys"
#define MAX_LINES (1u << 20)

struct install_keys {
	const char *root;
};

static const struct opt opts[] = {
	{"root", 0, OPT_STR, offsetof(struct install_keys, root), "/", "DIR",
		"directory that holds " REPOSITORIES, 0},
	{0},
};

/* Lines that name a repository, without comments and blank lines. */
static bool read_lines(const char *root, struct arena *a, struct strs *ret, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(MAX_LINES);
	if (!file_read(arena_printf(a, "%s/" REPOSITORIES, root), &text, err)) {
		(void)err_wrap(err, "repositories of this system");
		return err_hint(err, "this command is for systems that install with apk");
	}
	struct str rest = arena_str(a, buf_str(&text)), line;
	while (str_next(&rest, '\n', &line)) {
		line = str_trim(line);
		if (line.n && line.p[0] != '#')
			strs_push(a, ret, line);
	}
	return true;
}

static bool write_keys(const char *root, const struct keyring *k, struct arena *a, struct err *err)
{
	const char *dir = arena_printf(a, "%s/" KEYS, root);
	if (k->n && !dir_make(dir, 0755, err))
		return false;
	for (size_t i = 0; i < k->n; i++) {
		const struct keyring_key *key = &k->v[i];
		const char *path = arena_printf(a, "%s/%.*s", dir, STR_ARG(key->name));
		if (!file_write(path, key->pem.p, key->pem.n, 0644, err))
			return false;
		log_info("installed %s from %.*s", path, STR_ARG(key->url));
	}
	if (k->n == 0)
		log_warn("none of the repositories announces a key");
	return true;
}

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	(void)args;
	const char *root = ((struct install_keys *)req)->root;
	auto_keyring struct keyring keys;
	struct strs lines = {0};
	struct auth auth = {0};
	keyring_init(&keys, a);
	if (!read_lines(strcmp(root, "/") == 0 ? "" : root, a, &lines, err) ||
		!auth_load(&auth, a, err))
		return false;
	const struct http_opts ho = {.user_agent = "apko/" PROJECT_VERSION, .auth = &auth};
	auto_http struct http *http = http_new(&ho, err);
	return http && discovery_fetch(http, &lines, str_of(apk_arch_host()->apk), &keys, err) &&
	       write_keys(strcmp(root, "/") == 0 ? "" : root, &keys, a, err);
}

const struct cmd cmd_install_keys = {
	.name = "install-keys",
	.summary = "install the keys that this system's repositories announce",
	.opts = opts,
	.req_size = sizeof(struct install_keys),
	.run = run,
};
