#include "shared/archive/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include "shared/base/arena.h"
#include "shared/base/buf.h"
#include "shared/os/path.h"

#define MAX_BYTES (16ULL << 30)
#define MAX_ENTRIES 1000000UL
#define READ_BLOCK (64 << 10)
/* Modes are made as by an unprivileged tar with the usual umask, whatever ours is. */
#define MODE_MASK 0755

struct unpacking {
	const char *archive, *root; /* root has no links in it */
	const struct unpack_opts *opts;
	struct archive *in, *out;
	struct arena *scratch; /* of one entry */
	unsigned long long bytes_left;
	unsigned long entries_left;
};

static bool fail_lib(struct unpacking *u, struct archive *a, const char *what, struct err *err)
{
	const char *reason = archive_error_string(a);
	return err_set(err, EK_PARSE, "cannot unpack '%s': %s%s%s", u->archive, what,
		*what ? ": " : "", reason ? reason : "unknown reason");
}

static bool fail_entry(struct unpacking *u, struct str name, const char *why, struct err *err)
{
	return err_set(err, EK_PARSE, "cannot unpack '%s': entry '%.*s': %s", u->archive,
		STR_ARG(name), why);
}

/* The path below the root that a stored name stands for, NULL text if stripping leaves nothing.
 * Empty and "." components mean nothing; anything else odd is refused. */
static bool place(struct unpacking *u, struct str stored, struct str *ret_path, struct err *err)
{
	auto_buf struct buf path = BUF_INIT(BUF_NOLIMIT);
	struct str rest = stored, part;
	unsigned strip = u->opts->strip_components;
	if (stored.n && stored.p[0] == '/')
		return fail_entry(u, stored, "absolute name", err);
	while (str_next(&rest, '/', &part)) {
		if (!part.n || str_is(part, "."))
			continue;
		if (!path_is_safe(part))
			return fail_entry(u, stored, "unsafe name", err);
		if (strip) {
			strip--;
			continue;
		}
		if (path.n)
			buf_addc(&path, '/');
		buf_addstr(&path, part);
	}
	*ret_path = path.n ? arena_str(u->scratch, buf_str(&path)) : STR_NONE;
	return true;
}

/* Names that the C locale cannot express are there in UTF-8 only. */
static struct str either(const char *bytes, const char *utf8)
{
	return str_of(bytes ? bytes : utf8);
}

static bool set_link(struct unpacking *u, struct archive_entry *e, struct str name, struct err *err)
{
	struct str target = either(archive_entry_hardlink(e), archive_entry_hardlink_utf8(e));
	if (target.n) {
		struct str path;
		if (!place(u, target, &path, err))
			return false;
		if (!path.n)
			return fail_entry(u, name, "link to what is not unpacked", err);
		archive_entry_copy_hardlink(e, arena_printf(u->scratch, "%s/%s", u->root, path.p));
		return true;
	}
	if (archive_entry_filetype(e) != AE_IFLNK)
		return true;
	target = either(archive_entry_symlink(e), archive_entry_symlink_utf8(e));
	if (!target.n)
		return fail_entry(u, name, "link to nothing", err);
	archive_entry_copy_symlink(e, arena_str(u->scratch, target).p);
	return true;
}

static bool set_mode(struct unpacking *u, struct archive_entry *e, struct str name, struct err *err)
{
	mode_t owner;
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		owner = 0600;
		break;
	case AE_IFDIR:
		owner = 0700;
		break;
	case AE_IFLNK:
		return true;
	default:
		/* a hard link has no type of its own */
		if (archive_entry_hardlink(e))
			return true;
		return fail_entry(u, name, "neither file, directory nor link", err);
	}
	archive_entry_set_perm(e, (archive_entry_perm(e) & MODE_MASK) | owner);
	return true;
}

static bool copy_content(struct unpacking *u, struct str name, struct err *err)
{
	const void *block;
	size_t n;
	la_int64_t at;
	for (;;) {
		int res = archive_read_data_block(u->in, &block, &n, &at);
		if (res == ARCHIVE_EOF)
			return true;
		if (res < ARCHIVE_WARN)
			return fail_lib(u, u->in, name.p, err);
		if (n > u->bytes_left)
			return err_set(err, EK_PARSE,
				"cannot unpack '%s': more than %llu bytes of content", u->archive,
				u->opts->max_bytes ? u->opts->max_bytes : MAX_BYTES);
		u->bytes_left -= n;
		if (archive_write_data_block(u->out, block, n, at) < ARCHIVE_WARN)
			return fail_lib(u, u->out, name.p, err);
	}
}

static bool unpack_entry(struct unpacking *u, struct archive_entry *e, struct err *err)
{
	struct str path;
	struct str stored = arena_str(
		u->scratch, either(archive_entry_pathname(e), archive_entry_pathname_utf8(e)));
	if (!u->entries_left--)
		return err_set(err, EK_PARSE, "cannot unpack '%s': more than %lu entries",
			u->archive, u->opts->max_entries ? u->opts->max_entries : MAX_ENTRIES);
	if (!stored.n)
		return fail_entry(u, stored, "no name", err);
	if (!place(u, stored, &path, err))
		return false;
	if (!path.n)
		return true;
	archive_entry_copy_pathname(e, arena_printf(u->scratch, "%s/%s", u->root, path.p));
	if (!set_link(u, e, stored, err) || !set_mode(u, e, stored, err))
		return false;
	if (archive_write_header(u->out, e) < ARCHIVE_WARN)
		return fail_lib(u, u->out, stored.p, err);
	if (!copy_content(u, stored, err))
		return false;
	return archive_write_finish_entry(u->out) >= ARCHIVE_WARN ||
	       fail_lib(u, u->out, stored.p, err);
}

static bool unpack_all(struct unpacking *u, struct err *err)
{
	struct archive_entry *e;
	for (;;) {
		auto_arena struct arena scratch = ARENA_INIT;
		u->scratch = &scratch;
		int res = archive_read_next_header(u->in, &e);
		if (res == ARCHIVE_EOF)
			break;
		if (res < ARCHIVE_WARN)
			return fail_lib(u, u->in, "", err);
		if (!unpack_entry(u, e, err))
			return false;
	}
	/* directories get their times and modes now */
	return archive_write_close(u->out) >= ARCHIVE_WARN || fail_lib(u, u->out, "", err);
}

/* Only what the library decodes by itself: no filter that would start a program. */
static void allow_formats(struct archive *in)
{
	static int (*const allow[])(struct archive *) = {
		archive_read_support_filter_gzip,
		archive_read_support_filter_bzip2,
		archive_read_support_filter_xz,
		archive_read_support_filter_lzma,
		archive_read_support_filter_lzip,
		archive_read_support_filter_zstd,
		archive_read_support_filter_lz4,
		archive_read_support_filter_compress,
		archive_read_support_format_tar,
		archive_read_support_format_gnutar,
		archive_read_support_format_zip,
	};
	for (size_t i = 0; i < countof(allow); i++)
		(void)allow[i](in);
}

static bool run(struct unpacking *u, struct err *err)
{
	allow_formats(u->in);
	if (archive_read_open_filename(u->in, u->archive, READ_BLOCK) != ARCHIVE_OK)
		return fail_lib(u, u->in, "", err);
	archive_write_disk_set_options(u->out, ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME |
						       ARCHIVE_EXTRACT_SECURE_SYMLINKS |
						       ARCHIVE_EXTRACT_SECURE_NODOTDOT);
	return unpack_all(u, err);
}

bool unpack_file(
	const char *archive, const char *dir, const struct unpack_opts *opts, struct err *err)
{
	static const struct unpack_opts none;
	struct unpacking u = {.archive = archive, .opts = opts ? opts : &none};
	u.bytes_left = u.opts->max_bytes ? u.opts->max_bytes : MAX_BYTES;
	u.entries_left = u.opts->max_entries ? u.opts->max_entries : MAX_ENTRIES;
	/* the library refuses every link on the way, the ones that lead to dir too */
	char *root = realpath(dir, NULL);
	if (!root)
		return err_sys(err, "cannot unpack into '%s'", dir);
	u.root = root;
	u.in = archive_read_new();
	u.out = archive_write_disk_new();
	if (!u.in || !u.out)
		BUG("out of memory");
	bool ok = run(&u, err);
	archive_read_free(u.in);
	archive_write_free(u.out);
	free(root);
	return ok;
}
