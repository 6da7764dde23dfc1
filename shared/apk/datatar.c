#include "shared/apk/enttab.h"

#include <string.h>

#include "shared/base/map.h"
#include "shared/os/path.h"

#define LINK_MAX 4095			/* bytes of a symlink's target: PATH_MAX less its NUL */
#define SCRATCH_MAX (1u << 20)		/* entry texts kept before their arena is emptied */
#define READ_SIZE (64u << 10)
#define CHECKSUM_KEY "APK-TOOLS.checksum.SHA1"

struct seen {
	char type;
	uint8_t sha1[SHA1_SIZE];
};

struct scan {
	struct tar_reader r;
	struct enttab *table;
	struct arena scratch;	/* texts of the current entry */
	struct arena arena;	/* names seen */
	struct map names;	/* to struct seen */
	struct digest sha1;
	bool began;		/* a name without a leading dot was met */
	uint64_t n;
	char buf[READ_SIZE];
};

/* What the header says the checksum is: 1 has one, 0 none, -1 malformed. */
static int stated_sha1(const struct tar_entry *e, uint8_t ret_md[SHA1_SIZE])
{
	uint8_t sum[32], n = 0;

	for (size_t i = 0; i < e->pax.n; i++) {
		if (!str_is(e->pax.v[i].key, CHECKSUM_KEY))
			continue;
		struct str v = e->pax.v[i].val;
		if (hex_decode(v, ret_md, SHA1_SIZE))
			return 1;
		if (!apk_q_parse(v, sum, &n) || n != SHA1_SIZE)
			return -1;
		memcpy(ret_md, sum, SHA1_SIZE);
		return 1;
	}
	return 0;
}

static bool check_sha1(const struct tar_entry *e, const uint8_t md[SHA1_SIZE], struct err *err)
{
	uint8_t stated[SHA1_SIZE];
	char want[2 * SHA1_SIZE + 1], got[2 * SHA1_SIZE + 1];

	switch (stated_sha1(e, stated)) {
	case 0:
		return true;
	case 1:
		if (memcmp(stated, md, SHA1_SIZE) == 0)
			return true;
		hex_encode(stated, SHA1_SIZE, want);
		hex_encode(md, SHA1_SIZE, got);
		return err_set(err, EK_TRUST,
			"checksum mismatch: '%.*s' header was %s, computed %s", STR_ARG(e->name),
			want, got);
	default:
		return err_set(err, EK_PARSE, "malformed checksum of '%.*s'", STR_ARG(e->name));
	}
}

static bool hash_content(struct scan *s, uint8_t md[SHA1_SIZE], struct err *err)
{
	ssize_t n;

	digest_init(&s->sha1, DIGEST_SHA1);
	while ((n = tar_read(&s->r, s->buf, sizeof(s->buf), err)) > 0)
		digest_add(&s->sha1, s->buf, (size_t)n);
	digest_final(&s->sha1, md);
	return n == 0;
}

/* What each type needs besides the common fields. */

static bool take_regular(struct scan *s, const struct tar_entry *e, struct apk_entry *out,
	struct err *err)
{
	out->size = e->size;
	out->off = s->r.at;
	out->has_sha1 = true;
	return hash_content(s, out->sha1, err) && check_sha1(e, out->sha1, err);
}

static bool take_hardlink(struct scan *s, const struct tar_entry *e, struct apk_entry *out,
	struct err *err)
{
	const struct seen *target = NULL;

	if (tar_name_ok(e->link, &out->link))
		target = map_get(&s->names, out->link);
	if (!target || (target->type != '0' && target->type != '1'))
		return err_set(err, EK_PARSE,
			"no hard link target '%.*s' in front of '%.*s' in the package",
			STR_ARG(e->link), STR_ARG(out->name));
	out->has_sha1 = true;
	memcpy(out->sha1, target->sha1, SHA1_SIZE);
	return check_sha1(e, out->sha1, err);
}

static bool take_symlink(const struct tar_entry *e, struct apk_entry *out, struct err *err)
{
	if (e->link.n == 0 || e->link.n > LINK_MAX || memchr(e->link.p, 0, e->link.n))
		return err_set(err, EK_PARSE, "unusable symlink target of '%.*s'",
			STR_ARG(out->name));
	out->link = e->link;
	out->has_sha1 = true;
	digest_once(DIGEST_SHA1, e->link.p, e->link.n, out->sha1);
	return check_sha1(e, out->sha1, err);
}

static bool take_typed(struct scan *s, const struct tar_entry *e, struct apk_entry *out,
	struct err *err)
{
	switch (e->type) {
	case '0':
		return take_regular(s, e, out, err);
	case '1':
		return take_hardlink(s, e, out, err);
	case '2':
		return take_symlink(e, out, err);
	case '3':
	case '4':
		out->major = e->major;
		out->minor = e->minor;
		return true;
	default:
		return true;
	}
}

/* A path given twice, whatever its types, has no meaning that both tools share. */
static bool remember(struct scan *s, const struct apk_entry *e, struct err *err)
{
	struct seen *seen = arena_new(&s->arena, struct seen);

	seen->type = e->type;
	memcpy(seen->sha1, e->sha1, SHA1_SIZE);
	if (map_has(&s->names, e->name))
		return err_set(err, EK_CONFLICT, "duplicate path '%.*s'", STR_ARG(e->name));
	(void)map_put(&s->names, arena_str(&s->arena, e->name), seen);
	return true;
}

static bool fields_ok(const struct tar_entry *e, struct err *err)
{
	if (e->uid < 0 || e->uid > UINT32_MAX || e->gid < 0 || e->gid > UINT32_MAX)
		return err_set(err, EK_PARSE, "owner of '%.*s' is out of range", STR_ARG(e->name));
	for (size_t i = 0; i < e->pax.n; i++)
		if (str_starts(e->pax.v[i].key, S("GNU.sparse.")))
			return err_set(err, EK_PARSE, "'%.*s' is stored as a sparse file",
				STR_ARG(e->name));
	return true;
}

static bool is_root(const struct tar_entry *e)
{
	return e->type == '5' && (str_is(e->name, ".") || str_is(e->name, "./"));
}

static bool unsafe_name(struct str name, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	char *shown = arena_strndup(&a, name.p, name.n);

	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)shown[i] < ' ' || shown[i] == 0x7f)
			shown[i] = '?';
	return err_set(err, EK_PARSE, "unsafe name '%s'", shown);
}

static bool take_entry(struct scan *s, const struct tar_entry *e, struct err *err)
{
	struct apk_entry out = {
		.type = e->type, .mode = e->mode & 07777, .uid = e->uid, .gid = e->gid,
		.mtime = e->mtime, .uname = e->uname, .gname = e->gname,
	};

	if (is_root(e))
		return true;
	if (!tar_name_ok(e->name, &out.name))
		return unsafe_name(e->name, err);
	if (!s->began && out.name.p[0] == '.')
		return true;
	s->began = true;
	if (!fields_ok(e, err) || !take_typed(s, e, &out, err) || !remember(s, &out, err))
		return false;
	enttab_add(s->table, &out, &e->pax);
	return !enttab_over(s->table) ||
		err_set(err, EK_PARSE, "size limit exceeded: too much text in entry headers");
}

/* The nearest parent that has an entry must be a directory; that one's own parents are checked
 * by its own turn. Done last, for a link may follow what lies beneath it. */
static bool parents_ok(const struct scan *s, struct err *err)
{
	struct str last = STR_NONE;

	for (struct map_entry *m = map_first(&s->names); m; m = map_next(m)) {
		struct str name = map_key(m), dir = path_dir(name);
		const struct seen *up = NULL;
		if (str_eq(dir, last))
			continue;
		last = dir;
		while (dir.n && !(up = map_get(&s->names, dir)))
			dir = path_dir(dir);
		if (up && up->type != '5')
			return err_set(err, EK_PARSE, "'%.*s' lies beneath the %s '%.*s'",
				STR_ARG(name), up->type == '2' ? "symlink" : "file", STR_ARG(dir));
	}
	return true;
}

static bool scan_all(struct scan *s, uint64_t max_entries, struct err *err)
{
	struct tar_entry e;
	int rc;

	while ((rc = tar_next(&s->r, &e, err)) > 0) {
		if (++s->n > max_entries)
			return err_set(err, EK_PARSE,
				"size limit exceeded: limit is %llu entries",
				(unsigned long long)max_entries);
		if (!take_entry(s, &e, err))
			return false;
		if (s->scratch.used > SCRATCH_MAX)
			arena_release(&s->scratch);
	}
	return rc == 0 && tar_finish(&s->r, err) && parents_ok(s, err);
}

bool datatar_scan(struct source *from, uint64_t max_entries, struct enttab *t, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct scan *s = arena_new(&a, struct scan);

	s->table = t;
	map_init(&s->names, &s->arena);
	tar_reader_init(&s->r, from, "data section", &s->scratch);
	bool ok = scan_all(s, max_entries, err);
	map_release(&s->names);
	digest_release(&s->sha1);
	arena_release(&s->scratch);
	arena_release(&s->arena);
	return ok;
}
