#include "apko/cmd/cmd.h"

#include <unistd.h>

#include "apko/oci/login.h"
#include "shared/base/log.h"
#include "shared/os/fd.h"

struct login {
	const char *username, *password;
	bool password_stdin;
};

static const struct opt opts[] = {
	{"username", 'u', OPT_STR, offsetof(struct login, username), "", "NAME", "user name", 0},
	{"password", 'p', OPT_STR, offsetof(struct login, password), "", "SECRET",
		"password; better given by --password-stdin, since others may see a command line",
		0},
	{"password-stdin", 0, OPT_BOOL, offsetof(struct login, password_stdin), NULL, NULL,
		"read the password from standard input", 0},
	{0},
};

static bool run(void *req, const struct strs *args, struct arena *a, struct err *err)
{
	const struct login *l = req;
	auto_buf struct buf text = BUF_INIT(64u << 10);
	struct str password = str_of(l->password), where;
	if (l->password_stdin && *l->password)
		return err_set(err, EK_USAGE, "--password and --password-stdin exclude each other");
	if (l->password_stdin) {
		if (!fd_read_all(STDIN_FILENO, "standard input", &text, err))
			return false;
		password = buf_str(&text);
		while (str_chop(&password, S("\n")) || str_chop(&password, S("\r")))
			;
	}
	if (!*l->username || password.n == 0)
		return err_set(err, EK_USAGE,
			"user name and password are needed\n"
			"hint: give them with -u and --password-stdin");
	if (!login_store(args->v[0], str_of(l->username), password, a, &where, err))
		return false;
	log_info("stored credentials for %.*s in %.*s", STR_ARG(args->v[0]), STR_ARG(where));
	return true;
}

const struct cmd cmd_login = {
	.name = "login",
	.args = "SERVER",
	.summary = "store credentials for a registry where docker keeps them",
	.opts = opts,
	.req_size = sizeof(struct login),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
