#include "shared/rootfs/passwd.h"

#include "shared/base/num.h"

/* Fields of a line, at most `max`; returns how many there are in all. */
static unsigned split(struct str line, struct str *fields, unsigned max)
{
	struct str field;
	unsigned n = 0;
	while (str_next(&line, ':', &field)) {
		if (n < max)
			fields[n] = field;
		n++;
	}
	return n;
}

static bool bad_line(const char *file, unsigned line, unsigned got, unsigned want, struct err *err)
{
	struct pos at = { .file = file, .line = (int)line };
	return err_at(err, at, "malformed line: contains %u fields, expecting %u", got, want);
}

static bool bad_number(const char *file, unsigned line, struct str field, struct err *err)
{
	struct pos at = { .file = file, .line = (int)line };
	return err_at(err, at, "malformed line: '%.*s' is not a number", STR_ARG(field));
}

static bool id_of(struct str field, int64_t *ret)
{
	uint64_t n;
	if (!num_u64(field, 10, &n) || n > UINT32_MAX)
		return false;
	*ret = (int64_t)n;
	return true;
}

static struct str without_final_break(struct str text)
{
	(void)str_chop(&text, S("\n"));
	return text;
}

bool passwd_check_fields(struct str text, const char *file, unsigned n, struct err *err)
{
	struct str rest = without_final_break(text), line, none[1];
	for (unsigned i = 1; text.n && str_next(&rest, '\n', &line); i++) {
		unsigned got = split(line, none, 0);
		if (got != n)
			return bad_line(file, i, got, n, err);
	}
	return true;
}

bool passwd_parse(struct str text, const char *file, struct arena *a, struct passwd_users *ret,
	struct err *err)
{
	struct str rest = without_final_break(text), line, f[7];
	for (unsigned i = 1; text.n && str_next(&rest, '\n', &line); i++) {
		unsigned got = split(line, f, 7);
		struct passwd_user u = { 0 };
		if (got != 7)
			return bad_line(file, i, got, 7, err);
		if (!id_of(f[2], &u.uid))
			return bad_number(file, i, f[2], err);
		if (!id_of(f[3], &u.gid))
			return bad_number(file, i, f[3], err);
		u.name = f[0];
		u.gecos = f[4];
		u.home = f[5];
		u.shell = f[6];
		vec_push(a, ret, u);
	}
	return true;
}

bool group_parse(struct str text, const char *file, struct arena *a, struct passwd_groups *ret,
	struct err *err)
{
	struct str rest = without_final_break(text), line, f[4];
	for (unsigned i = 1; text.n && str_next(&rest, '\n', &line); i++) {
		unsigned got = split(line, f, 4);
		struct passwd_group g = { 0 };
		if (got != 4)
			return bad_line(file, i, got, 4, err);
		if (!id_of(f[2], &g.gid))
			return bad_number(file, i, f[2], err);
		g.name = f[0];
		g.members = f[3];
		vec_push(a, ret, g);
	}
	return true;
}

static struct str name_of(struct str text, int64_t id, unsigned fields)
{
	struct str line, f[7], found = STR_NONE;
	int64_t n;
	while (str_next(&text, '\n', &line))
		if (split(line, f, 7) == fields && id_of(f[2], &n) && n == id)
			found = f[0];
	return found;
}

struct str id_user(const struct id_names *ids, int64_t uid)
{
	return name_of(ids->passwd, uid, 7);
}

struct str id_group(const struct id_names *ids, int64_t gid)
{
	return name_of(ids->group, gid, 4);
}
