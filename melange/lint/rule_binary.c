#include "melange/lint/rule.h"

#include "shared/rootfs/elf.h"

/* Rules that look into programs and libraries. */

static bool is_candidate(const struct tree_node *n, struct str path)
{
	return n->type == '0' && ((n->mode & 0111) || lint_ends(path, ".a .so .dylib")) &&
		!lint_below(path, "var/lib/db/sbom");
}

/* The names the reference gives to machines; it counts the unknown from the last one below that
 * it has a name for. */
static struct str machine_name(uint16_t machine, struct arena *a)
{
	static const unsigned alpha_std = 41;
	if (machine == ELF_386)
		return S("i386");
	struct str name = elf_machine_name(machine, a);
	if (!str_starts(name, S("machine ")))
		return name;
	if (machine > alpha_std)
		return arena_strf(a, "unknown (EM_ALPHA_STD+%u)", machine - alpha_std);
	return arena_strf(a, "unknown (%u)", machine);
}

static bool binaryarch(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	auto_err struct err not_elf = ERR_INIT;
	auto_arena struct arena scratch = ARENA_INIT;
	struct elf e;
	(void)err;
	if (is_candidate(n, path) && elf_open_node(n, &scratch, &e, &not_elf) &&
		e.machine != ELF_X86_64 && e.machine != ELF_AARCH64)
		lint_noted(c, path, machine_name(e.machine, &scratch));
	return true;
}

static bool has_debug_section(const struct elf *e)
{
	for (size_t i = 0; i < e->n_sections; i++)
		if (str_starts(e->sections[i].name, S(".debug")) ||
			str_starts(e->sections[i].name, S(".zdebug")))
			return true;
	return false;
}

static bool strip(struct lint_ctx *c, struct tree_node *n, struct str path, struct err *err)
{
	auto_err struct err bad = ERR_INIT;
	auto_arena struct arena scratch = ARENA_INIT;
	struct elf e;
	(void)err;
	if (!is_candidate(n, path))
		return true;
	if (!elf_open_node(n, &scratch, &e, &bad)) {
		if (bad.kind != EK_NONE)
			lint_bare(c, arena_strf(&scratch, "could not open file \"%.*s\" as executable: %s",
				STR_ARG(path), bad.kind == EK_PARSE ? "EOF" : bad.msg));
		return true;
	}
	if (has_debug_section(&e))
		lint_path(c, path);
	return true;
}

const struct lint_rule lint_binary_rules[] = {
	{ .name = "binaryarch",
		.set = LINT_WARN,
		.shape = LINT_BINARIES,
		.message = "{pkg} contains {n} {binary|binaries} compiled for unsupported "
			   "architecture(s)",
		.advice = "This package contains binaries compiled for unsupported architectures (only "
			  "aarch64/arm64 and amd64/x86_64 binaries are supported)",
		.entry = binaryarch },
	{ .name = "strip",
		.set = LINT_WARN,
		.shape = LINT_BINARY_NAMES,
		.message = "{pkg} contains {n} unstripped {binary|binaries}",
		.advice = "Properly strip all binaries in the pipeline",
		.entry = strip },
	{ 0 },
};
