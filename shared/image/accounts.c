#include "shared/image/accounts.h"

#include "shared/rootfs/passwd.h"

#define MAX_FILE (16u << 20)

/* The text of an account file, "" when there is none. */
static bool read_file(
	struct tree *t, const char *path, struct arena *a, struct buf *out, struct err *err)
{
	struct tree_node *n = tree_find(t, str_of(path), true);
	struct str text = STR_NONE;
	if (n && n->type != '0')
		return err_set(err, EK_CONFLICT, "'/%s' is not a regular file", path);
	if (n && !tree_read(n, a, MAX_FILE, &text, err))
		return false;
	buf_addstr(out, text);
	if (text.n && text.p[text.n - 1] != '\n')
		buf_addc(out, '\n');
	return true;
}

static bool write_groups(struct tree *t, const struct imgconf *c, struct arena *a, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(2 * MAX_FILE);
	const struct imgconf_group *g = c->accounts.groups.v;
	if (c->accounts.groups.n == 0)
		return true;
	if (!read_file(t, "etc/group", a, &b, err) ||
		!passwd_check_fields(buf_str(&b), "/etc/group", 4, err))
		return false;
	for (size_t i = 0; i < c->accounts.groups.n; i++) {
		buf_printf(&b, "%.*s:x:%lld:", STR_ARG(g[i].groupname.s), (long long)g[i].gid.n);
		for (size_t k = 0; k < g[i].members.n; k++)
			buf_printf(&b, "%s%.*s", k ? "," : "", STR_ARG(g[i].members.v[k].s));
		buf_addc(&b, '\n');
	}
	return tree_put(t, S("etc/group"), buf_str(&b), 0644, err);
}

static bool write_users(
	struct tree *t, const struct imgconf *c, struct arena *a, struct str *ret, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(2 * MAX_FILE);
	const struct imgconf_user *u = c->accounts.users.v;
	if (!read_file(t, "etc/passwd", a, &b, err))
		return false;
	for (size_t i = 0; i < c->accounts.users.n; i++) {
		struct str shell = u[i].shell.s.n ? u[i].shell.s : S("/bin/sh");
		long long gid = u[i].gid.set ? u[i].gid.n : u[i].uid.n;
		buf_printf(&b, "%.*s:x:%lld:%lld:Account created by apko:%.*s:%.*s\n",
			STR_ARG(u[i].username.s), (long long)u[i].uid.n, gid,
			STR_ARG(u[i].homedir.s), STR_ARG(shell));
	}
	*ret = arena_str(a, buf_str(&b));
	return tree_put(t, S("etc/passwd"), *ret, 0644, err);
}

static bool write_shadow(struct tree *t, const struct imgconf *c, struct arena *a, struct err *err)
{
	auto_buf struct buf b = BUF_INIT(2 * MAX_FILE);
	const struct imgconf_user *u = c->accounts.users.v;
	if (c->accounts.users.n == 0)
		return true;
	if (!read_file(t, "etc/shadow", a, &b, err) ||
		!passwd_check_fields(buf_str(&b), "/etc/shadow", 9, err))
		return false;
	for (size_t i = 0; i < c->accounts.users.n; i++)
		buf_printf(&b, "%.*s:!:::::::\n", STR_ARG(u[i].username.s));
	return tree_put(t, S("etc/shadow"), buf_str(&b), 0640, err);
}

static bool make_home(struct tree *t, const struct passwd_user *u, struct err *err)
{
	if (str_is(u->home, "/dev/null"))
		return true;
	struct tree_node *n = tree_find(t, u->home, true);
	if (n && n->type == '5')
		return true;
	if (n || tree_find(t, u->home, false))
		return err_set(err, EK_CONFLICT,
			"the home '%.*s' of user '%.*s' is not a directory", STR_ARG(u->home),
			STR_ARG(u->name));
	n = tree_mkdirs(t, u->home, 0755, err);
	if (!n)
		return false;
	n->mode = 0700;
	n->uid = u->uid;
	n->gid = u->gid;
	return true;
}

bool accounts_apply(struct tree *t, const struct imgconf *c, struct arena *a,
	struct str *ret_run_as, struct err *err)
{
	struct str passwd;
	struct passwd_users users = {0};
	if (!write_groups(t, c, a, err) || !write_users(t, c, a, &passwd, err) ||
		!passwd_parse(passwd, "/etc/passwd", a, &users, err))
		return false;
	*ret_run_as = c->accounts.run_as.s;
	for (size_t i = 0; i < users.n; i++) {
		if (!make_home(t, &users.v[i], err))
			return false;
		if (str_eq(users.v[i].name, c->accounts.run_as.s))
			*ret_run_as = arena_strf(a, "%lld", (long long)users.v[i].uid);
	}
	return write_shadow(t, c, a, err);
}
