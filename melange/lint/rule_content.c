#include "melange/lint/rule.h"

#include <string.h>

#include "shared/base/map.h"
#include "shared/rootfs/elf.h"

/* Rules that look into files, or at names in relation to each other. */

#define MIN_DUPLICATE 1024
#define MAX_HASHED (512u << 20)

static struct str base_of(struct str path)
{
	return str_from(path, (size_t)(str_rchr(path, '/') + 1));
}

static bool in_sbom_dir(struct str path)
{
	return str_starts(path, S("var/lib/db/sbom/"));
}

static bool binaryarch(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	static const char *const endings[] = { ".a", ".so", ".dylib" };
	(void)err;
	bool candidate = n->type == '0' && (n->mode & 0111);
	for (size_t i = 0; i < countof(endings); i++)
		candidate |= n->type == '0' && str_ends(path, str_of(endings[i]));
	if (!candidate || in_sbom_dir(path))
		return true;
	auto_err struct err ignored = ERR_INIT;
	auto_arena struct arena a = ARENA_INIT;
	struct elf e;
	if (elf_open_node(n, &a, &e, &ignored) && e.machine != ELF_X86_64 && e.machine != ELF_AARCH64)
		lint_item(c, arena_strf(c->arena, "%.*s (%.*s)", STR_ARG(path),
			STR_ARG(elf_machine_name(e.machine, &a))));
	return true;
}

static bool strip(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	(void)err;
	if (n->type != '0' || in_sbom_dir(path))
		return true;
	auto_err struct err bad = ERR_INIT;
	auto_arena struct arena a = ARENA_INIT;
	struct elf e;
	if (!elf_open_node(n, &a, &e, &bad)) {
		if (bad.kind != EK_NONE)
			lint_item(c, arena_strf(c->arena, "%.*s: could not open as executable",
				STR_ARG(path)));
		return true;
	}
	for (size_t i = 0; i < e.n_sections; i++) {
		if (str_starts(e.sections[i].name, S(".debug")) ||
			str_starts(e.sections[i].name, S(".zdebug"))) {
			lint_item(c, path);
			break;
		}
	}
	return true;
}

/* Files of one name and content in several places. */
struct copies {
	struct lint_ctx *c;
	struct map by_name;	/* "SIZE NAME" to struct copy */
	struct arena arena;
};
struct copy {
	struct tree_node *node;
	struct str path;
	struct copy *next;
	bool told;
};

static bool is_license(struct str base)
{
	return str_find(base, S("LICENSE")) >= 0 || str_find(base, S("LICENCE")) >= 0 ||
		str_find(base, S("COPYING")) >= 0;
}

static bool same_bytes(const struct tree_node *a, const struct tree_node *b, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct str x, y;
	if (a->body == b->body)
		return true;
	return tree_read(a, &scratch, MAX_HASHED, &x, err) &&
		tree_read(b, &scratch, MAX_HASHED, &y, err) && str_eq(x, y);
}

static bool duplicate_entry(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct copies *all = user;
	struct str base = base_of(path);
	if (n->type != '0' || n->body->size < MIN_DUPLICATE || is_license(base))
		return true;
	struct str key = arena_strf(&all->arena, "%llu %.*s", (unsigned long long)n->body->size,
		STR_ARG(base));
	struct copy *item = arena_new(&all->arena, struct copy), *first = map_get(&all->by_name, key);
	*item = (struct copy){ n, arena_str(&all->arena, path), first, false };
	(void)map_put(&all->by_name, key, item);
	for (struct copy *k = first; k; k = k->next) {
		auto_err struct err unread = ERR_INIT;
		if (!same_bytes(k->node, n, &unread)) {
			if (unread.kind != EK_NONE && unread.kind != EK_PARSE)
				return err_move(err, &unread);
			continue;
		}
		if (!k->told)
			lint_item(all->c, k->path);
		lint_item(all->c, path);
		k->told = item->told = true;
		break;
	}
	return true;
}

static bool duplicate(struct lint_ctx *c, struct err *err)
{
	struct copies all = { .c = c, .arena = ARENA_INIT };
	map_init(&all.by_name, &all.arena);
	bool ok = tree_walk(c->req->tree, duplicate_entry, &all, err);
	map_release(&all.by_name);
	arena_release(&all.arena);
	return ok;
}

/* site-packages directories of Python 3 versions. */
static size_t site_packages(struct lint_ctx *c, struct tree_node **ret)
{
	struct tree_node *lib = tree_find(c->req->tree, S("usr/lib"), true);
	size_t n = 0;
	for (size_t i = 0; lib && i < lib->n_kids; i++) {
		if (!str_starts(lib->kids[i]->name, S("python3.")))
			continue;
		n++;
		struct tree_node *site = lib->kids[i]->type == '5'
			? tree_kid(lib->kids[i], S("site-packages")) : NULL;
		if (site && site->type == '5')
			*ret = site;
	}
	return n;
}

static bool python_names(struct lint_ctx *c, const char *const *names, size_t n)
{
	struct tree_node *site = NULL;
	size_t versions = site_packages(c, &site);
	if (versions > 1)
		lint_item(c, S("more than one Python version"));
	for (size_t i = 0; site && i < n; i++)
		if (tree_kid(site, str_of(names[i])))
			lint_item(c, str_of(names[i]));
	return true;
}

static bool python_docs(struct lint_ctx *c, struct err *err)
{
	static const char *const names[] = { "doc", "docs" };
	(void)err;
	return python_names(c, names, countof(names));
}

static bool python_test(struct lint_ctx *c, struct err *err)
{
	static const char *const names[] = { "test", "tests" };
	(void)err;
	return python_names(c, names, countof(names));
}

static bool python_multiple(struct lint_ctx *c, struct err *err)
{
	static const char *const passed[] = { "test", "tests", "doc", "docs" };
	struct tree_node *site = NULL;
	struct strs names = { 0 };
	(void)err;
	(void)site_packages(c, &site);
	for (size_t i = 0; site && i < site->n_kids; i++) {
		struct str name = site->kids[i]->name;
		bool skip = name.p[0] == '_' || str_ends(name, S(".egg-info")) ||
			str_ends(name, S(".dist-info")) || str_ends(name, S(".pth"));
		for (size_t k = 0; k < countof(passed); k++)
			skip |= str_is(name, passed[k]);
		long dot = str_rchr(name, '.');
		if (dot > 0)
			name = str_sub(name, 0, (size_t)dot);
		if (!skip && !strs_has(&names, name))
			strs_push(c->arena, &names, name);
	}
	for (size_t i = 0; names.n > 1 && i < names.n; i++)
		lint_item(c, names.v[i]);
	return true;
}

static const char *const other_archs[] = { "i386", "i686", "x86_32", "x86-32", "ppc64", "ppc64le",
	"powerpc", "s390x", "s390", "mips", "mipsel", "mips64", "riscv", "riscv64", "sparc", "sparc64",
	"ia64", "m68k" };

/* An architecture's name between separators of a file name. */
static bool names_arch(struct str base, const char *arch)
{
	size_t n = strlen(arch);
	for (size_t i = 0; i + n <= base.n; i++) {
		if (memcmp(base.p + i, arch, n) != 0 || i == 0 || !strchr("-_.", base.p[i - 1]))
			continue;
		char after = i + n < base.n ? base.p[i + n] : 0;
		if (after == 0 || after == '.' || after == base.p[i - 1])
			return true;
	}
	return false;
}

static bool unsupportedarch(struct lint_ctx *c, struct tree_node *n, struct str path,
	struct err *err)
{
	(void)err;
	if (n->type == '5')
		return true;
	long slash = str_rchr(path, '/');
	struct str dir = str_sub(path, 0, slash < 0 ? 0 : (size_t)slash), base = base_of(path);
	bool supported = str_find(path, S("x86_64")) >= 0 || str_find(path, S("aarch64")) >= 0 ||
		str_find(path, S("amd64")) >= 0 || str_find(path, S("arm64")) >= 0;
	for (size_t i = 0; i < countof(other_archs); i++) {
		struct str in_dir = arena_strf(c->arena, "/%s", other_archs[i]);
		if (str_find(dir, in_dir) >= 0 || (!supported && names_arch(base, other_archs[i]))) {
			lint_item(c, arena_strf(c->arena, "%.*s (%s)", STR_ARG(path), other_archs[i]));
			break;
		}
	}
	return true;
}

#define W LINT_WARN
const struct lint_rule lint_content_rules[] = {
	{ "binaryarch", W, "package contains binaries of another architecture",
		"remove them or move them into a package of their own", binaryarch, NULL, NULL },
	{ "duplicate", W, "package contains the same file several times", "use links", NULL, duplicate,
		NULL },
	{ "python/docs", W, "package brings a top-level doc directory", "remove it", NULL, python_docs,
		NULL },
	{ "python/multiple", W, "package brings several Python packages", "split it", NULL,
		python_multiple, NULL },
	{ "python/test", W, "package brings a top-level test directory", "remove it", NULL,
		python_test, NULL },
	{ "strip", W, "package contains unstripped binaries", "add a strip step", strip, NULL, NULL },
	{ "unsupportedarch", W, "package contains files for architectures that are not built",
		"remove them", unsupportedarch, NULL, NULL },
	{ 0 },
};
