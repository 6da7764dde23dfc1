#include "shared/apk/instdb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/base/num.h"
#include "shared/os/fd.h"

/* A recorded database, where it is at hand: each record is taken apart and written again from its
 * entries in another order, and has the same bytes. */

#define DATA SOURCE_DIR "/../shared/data/installed/wolfi-base"
#define MAX_ENTRIES 20000

static const struct {
	char letter;
	size_t offset;
} texts[] = {
	{ 'P', offsetof(struct apk_pkg, name) }, { 'V', offsetof(struct apk_pkg, version) },
	{ 'A', offsetof(struct apk_pkg, arch) }, { 'L', offsetof(struct apk_pkg, license) },
	{ 'T', offsetof(struct apk_pkg, desc) }, { 'o', offsetof(struct apk_pkg, origin) },
	{ 'm', offsetof(struct apk_pkg, maintainer) }, { 'U', offsetof(struct apk_pkg, url) },
	{ 'D', offsetof(struct apk_pkg, depends) }, { 'p', offsetof(struct apk_pkg, provides) },
	{ 'r', offsetof(struct apk_pkg, replaces) }, { 'c', offsetof(struct apk_pkg, commit) },
};

static void take_text(struct apk_pkg *p, char letter, struct str value)
{
	for (size_t i = 0; i < countof(texts); i++)
		if (texts[i].letter == letter)
			*(struct str *)((char *)p + texts[i].offset) = value;
}

static int64_t number(struct str s)
{
	int64_t n = 0;

	assert_true(num_i64(s, &n));
	return n;
}

static void take_acl(struct apk_entry *e, struct str value)
{
	char text[100];
	long long uid, gid;

	(void)snprintf(text, sizeof(text), "%.*s", STR_ARG(value));
	assert_int_equal(sscanf(text, "%lld:%lld:%o", &uid, &gid, &e->mode), 3);
	e->uid = uid;
	e->gid = gid;
}

struct taking {
	struct arena *a;
	struct apk_file *f;
	struct str dir;
	struct apk_entry *last;
};

static struct apk_entry *new_entry(struct taking *t, struct str name, char type, uint32_t mode)
{
	assert_true(t->f->n_entries < MAX_ENTRIES);
	t->last = &t->f->entries[t->f->n_entries++];
	*t->last = (struct apk_entry){ .name = name, .type = type, .mode = mode };
	return t->last;
}

static void take(struct taking *t, char letter, struct str value)
{
	struct apk_pkg *p = &t->f->info;

	switch (letter) {
	case 't': p->build_time = number(value); break;
	case 'S': t->f->data_range.end = (uint64_t)number(value) - 1; break;
	case 'I': p->installed_size = (uint64_t)number(value); break;
	case 'k': p->provider_priority = number(value); break;
	case 'C': assert_true(apk_q_parse(value, p->checksum, &p->checksum_n)); break;
	case 'F':
		t->dir = value;
		(void)new_entry(t, value, '5', 0755);
		break;
	case 'R':
		(void)new_entry(t, t->dir.n ? arena_strf(t->a, "%.*s/%.*s", STR_ARG(t->dir),
			STR_ARG(value)) : value, '0', 0644);
		break;
	case 'M':
	case 'a': take_acl(t->last, value); break;
	case 'Z': {
		uint8_t n, sum[32];
		assert_true(apk_q_parse(value, sum, &n) && n == SHA1_SIZE);
		memcpy(t->last->sha1, sum, SHA1_SIZE);
		t->last->has_sha1 = true;
		break;
	}
	default: take_text(p, letter, value);
	}
}

static void reverse(struct apk_file *f)
{
	for (size_t i = 0, k = f->n_entries; i + 1 < k; i++) {
		struct apk_entry e = f->entries[--k];
		f->entries[k] = f->entries[i];
		f->entries[i] = e;
	}
}

static void check_record(struct str record)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf out = BUF_INIT(16 << 20);
	struct apk_file f = { .entries = arena_array(&a, struct apk_entry, MAX_ENTRIES) };
	struct taking t = { .a = &a, .f = &f };
	bool *kept = arena_array(&a, bool, MAX_ENTRIES);
	struct str rest = record, line;

	while (rest.n && str_next(&rest, '\n', &line))
		if (line.n)
			take(&t, line.p[0], str_from(line, 2));
	memset(kept, 1, MAX_ENTRIES);
	reverse(&f);
	instdb_record(&f, kept, &out);
	if (!str_eq(buf_str(&out), record))
		fail_msg("%s\nis not\n%.*s", out.p, STR_ARG(record));
}

static void recorded(void **state)
{
	(void)state;
	auto_buf struct buf db = BUF_INIT(16 << 20);
	auto_err struct err err = ERR_INIT;
	size_t n = 0;

	if (access(DATA, F_OK)) {
		print_message("no recorded database at hand\n");
		skip();
	}
	assert_true(file_read(DATA, &db, &err));
	struct str rest = buf_str(&db);
	for (long end; (end = str_find(rest, S("\n\n"))) >= 0; n++) {
		check_record(str_sub(rest, 0, (size_t)end + 2));
		rest = str_from(rest, (size_t)end + 2);
	}
	assert_true(n > 1);
	assert_int_equal(rest.n, 0);
}

static void own(void **state)
{
	(void)state;
	check_record(S("P:a\nV:1-r0\nA:x86_64\nL:MIT\nT:words\no:a\nm:\nU:\nD:b c>1\np:d=1\nr:old\nc:\n"
		"i:[]\nt:0\nS:10\nI:20\nk:5\nF:\nM:0:0:0700\nR:top\na:1:2:4755\nF:b\nR:x\n"
		"Z:Q1NWoZK3kTsExUV00Ywo1G5jlUKKs=\nF:b/c\nR:y\nF:b-d\nR:z\n\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded),
		cmocka_unit_test(own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
