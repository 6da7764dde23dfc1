#include "shared/apk/tests/adb_dump.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/apk/adbfile.h"
#include "shared/apk/pkgread.h"

#define SHOWN_MAX 256		/* room that other dumpers have for the text of a value */
#define SIG_TEXT 108		/* digits of a signature */
#define LONG_STRING 80

/* Text in the manner of YAML: what starts a line, what goes on with it. */
struct dump {
	const char *name;
	struct buf *out;
	struct err *err;
	unsigned nest, indent;
	bool in_array[80];
	bool started;	/* a line */
	bool key;	/* ...that has a key */
};

static void begin(struct dump *d, bool item, bool go_on)
{
	if (!d->started) {
		for (unsigned i = 0; i < d->indent; i++)
			buf_adds(d->out, "  ");
		if (item && d->in_array[d->nest])
			buf_adds(d->out, "- ");
	} else if (d->key && go_on) {
		buf_addc(d->out, ' ');
	}
	d->started = true;
}

static void newline(struct dump *d)
{
	buf_addc(d->out, '\n');
	d->started = d->key = false;
}

static void enter(struct dump *d, bool array)
{
	if (d->nest)
		d->indent++;
	d->in_array[++d->nest] = array;
}

static void leave(struct dump *d)
{
	if (d->started) {
		begin(d, false, true);
		buf_adds(d->out, "# empty object");
		newline(d);
	}
	if (--d->nest)
		d->indent--;
}

static void comment(struct dump *d, const char *text)
{
	begin(d, false, true);
	buf_printf(d->out, "# %s", text);
	newline(d);
}

enum quoting { PLAIN, QUOTED, BLOCK };

static enum quoting quoting_of(struct str s, bool lines)
{
	enum quoting q = PLAIN;

	if (!s.n)
		return PLAIN;
	if (lines || s.n >= LONG_STRING)
		return BLOCK;
	if (!s.p[0] || strchr("-?:,[]{}#&*!|>'\"%@`", s.p[0]))
		q = QUOTED;
	for (size_t i = 0; i < s.n; i++) {
		char before = i ? s.p[i - 1] : 0;
		if (strchr("\r\n'", s.p[i]) && s.p[i])
			return BLOCK;
		if (s.p[i] == '#' && before == ' ')
			return BLOCK;
		if (s.p[i] == '#' || (s.p[i] == ' ' && before == ':'))
			q = QUOTED;
	}
	return q;
}

static void string(struct dump *d, struct str s, bool lines)
{
	enum quoting q = quoting_of(s, lines);
	struct str line;

	begin(d, true, true);
	if (q != BLOCK) {
		const char *mark = q == QUOTED ? "'" : "";
		buf_adds(d->out, mark);
		buf_addstr(d->out, s);
		buf_adds(d->out, mark);
		newline(d);
		return;
	}
	buf_addc(d->out, '|');
	newline(d);
	d->indent++;
	while (s.n && str_next(&s, '\n', &line)) {
		begin(d, false, true);
		buf_addstr(d->out, line);
		newline(d);
	}
	d->indent--;
}

static void hex(struct dump *d, struct str prefix, struct str bytes)
{
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);

	buf_addstr(&b, prefix);
	if (prefix.n + 2 * bytes.n > SHOWN_MAX)
		buf_printf(&b, "(%zu bytes)", bytes.n);
	for (size_t i = 0; prefix.n + 2 * bytes.n <= SHOWN_MAX && i < bytes.n; i++)
		buf_printf(&b, "%02x", (unsigned char)bytes.p[i]);
	string(d, buf_str(&b), false);
}

static bool dump_blocks(struct dump *d, struct source *from, uint32_t schema, bool file);

static bool dump_item(struct dump *d, const struct adb_type *type, const struct adb_obj *o,
	uint32_t i);

static bool dump_fields(struct dump *d, const struct adb_type *type, const struct adb_obj *o)
{
	for (uint32_t i = 1; i < o->n && i <= type->n; i++) {
		if (!adb_slot(o, i))
			continue;
		if (d->key)
			newline(d);
		begin(d, true, true);
		buf_printf(d->out, "%s:", type->fields[i - 1].name);
		d->key = true;
		if (!dump_item(d, type->fields[i - 1].type, o, i))
			return false;
	}
	return true;
}

static bool dump_array(struct dump *d, const struct adb_type *type, const struct adb_obj *o)
{
	begin(d, true, true);
	buf_printf(d->out, "# %u items", o->n - 1);
	newline(d);
	enter(d, true);
	for (uint32_t i = 1; i < o->n; i++)
		if (adb_slot(o, i) && !dump_item(d, type->item, o, i))
			return false;
	leave(d);
	return true;
}

static void dump_xattr(struct dump *d, struct str blob)
{
	auto_buf struct buf b = BUF_INIT(BUF_NOLIMIT);
	struct str key, val;

	if (!str_cut(blob, '\0', &key, &val)) {
		string(d, STR_NONE, false);
		return;
	}
	buf_printf(&b, "%.*s=", STR_ARG(key));
	hex(d, buf_str(&b), val);
}

static bool dump_item(struct dump *d, const struct adb_type *type, const struct adb_obj *o,
	uint32_t i)
{
	auto_arena struct arena a = ARENA_INIT;
	struct adb_obj sub;
	struct mem_source mem;

	switch (type->kind) {
	case ADB_INT:
		begin(d, true, true);
		buf_printf(d->out, "%" PRIu64, adb_int(o, i));
		newline(d);
		return true;
	case ADB_OCTAL:
		begin(d, true, true);
		buf_printf(d->out, "%#" PRIo64, adb_int(o, i));
		newline(d);
		return true;
	case ADB_HEX:
		hex(d, STR_NONE, adb_blob(o, i));
		return true;
	case ADB_XATTR:
		dump_xattr(d, adb_blob(o, i));
		return true;
	case ADB_DEP:
		sub = adb_obj(o, i);
		string(d, adb_dep_text(&sub, &a), false);
		return true;
	case ADB_ARRAY:
		sub = adb_obj(o, i);
		return dump_array(d, type, &sub);
	case ADB_OBJECT:
		sub = adb_obj(o, i);
		begin(d, true, false);
		enter(d, false);
		if (!dump_fields(d, type, &sub))
			return false;
		leave(d);
		return true;
	case ADB_BLOCKS:
		mem_source_init(&mem, adb_blob(o, i));
		return dump_blocks(d, &mem.src, type->schema, false);
	default:
		string(d, adb_blob(o, i), type->kind == ADB_TEXT);
		return true;
	}
}

static bool dump_adb(struct dump *d, const struct adb *db, uint64_t size)
{
	struct adb_obj root = adb_root(db);
	unsigned compat, version;
	char text[100];

	begin(d, true, false);
	enter(d, false);
	buf_printf(d->out, "#%%SCHEMA: %08X", db->schema);
	newline(d);
	adb_versions(db, &compat, &version);
	(void)snprintf(text, sizeof(text), "ADB block, size: %" PRIu64 ", compat: %u, ver: %u", size,
		compat, version);
	comment(d, text);
	if (!dump_fields(d, adb_root_type(db->schema), &root))
		return false;
	leave(d);
	return true;
}

static bool dump_sig(struct dump *d, struct adb_file *f, uint64_t size)
{
	unsigned char sig[ADB_SIG_MAX];
	char text[200];

	if (size > sizeof(sig) || size < 2)
		return err_set(d->err, EK_PARSE, "%s: a signature of %" PRIu64 " bytes", d->name, size);
	if (!adb_file_read(f, sig, size, d->err))
		return false;
	int at = snprintf(text, sizeof(text), "sig v%02x h%02x ", sig[0], sig[1]);
	int start = at;
	for (size_t i = 2; i < size && at - start < SIG_TEXT; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%02x", sig[i]);
	(void)snprintf(text + at, sizeof(text) - (size_t)at, "%s: UNTRUSTED signature",
		at - start >= SIG_TEXT ? ".." : "");
	comment(d, text);
	return true;
}

static bool dump_block(struct dump *d, struct adb_file *f, const struct adb_block *b)
{
	auto_arena struct arena a = ARENA_INIT;
	char text[100];

	if (b->type == ADB_BLOCK_SIG)
		return dump_sig(d, f, b->size);
	if (b->type == ADB_BLOCK_DATA) {
		(void)snprintf(text, sizeof(text), "data block, size: %" PRIu64, b->size);
		comment(d, text);
		return true;
	}
	if (b->size > APK_MAX_ADB)
		return err_set(d->err, EK_PARSE, "%s: size limit exceeded", d->name);
	char *p = arena_alloc(&a, b->size);
	struct adb db = { .schema = f->schema, .payload = str_n(p, b->size) };
	return adb_file_read(f, p, b->size, d->err) && adb_check(&db, d->name, d->err) &&
		dump_adb(d, &db, b->size);
}

static bool dump_blocks(struct dump *d, struct source *from, uint32_t schema, bool file)
{
	struct adb_file f = { .from = from, .name = d->name, .schema = schema };
	struct adb_block b;
	int more;

	if (file && !adb_file_begin(&f, from, d->name, d->err))
		return false;
	while ((more = adb_file_next(&f, &b, d->err)) > 0)
		if (!dump_block(d, &f, &b))
			return false;
	return more == 0;
}

bool adb_dump_values(const struct adb *db, struct buf *out, struct err *err)
{
	struct dump d = { .name = "ADB", .out = out, .err = err };

	return dump_adb(&d, db, db->payload.n);
}

bool adb_dump(int fd, const char *name, struct buf *out, struct err *err)
{
	auto_adb_source struct adb_source s = { 0 };
	struct dump d = { .name = name, .out = out, .err = err };
	struct fd_source file;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "cannot look at '%s'", name);
	fd_source_init(&file, fd, 0, st.st_size, name);
	return adb_source_open(&s, &file.src, name, err) && dump_blocks(&d, &s.src, 0, true);
}
