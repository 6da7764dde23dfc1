#include "shared/text/version_text.h"

#include "shared/base/compiler.h"
#include "shared/text/jwrite.h"

#if defined(__clang__)
#define COMPILER "clang"
#else
#define COMPILER "gcc"
#endif

#if defined(__x86_64__)
#define MACHINE "amd64"
#elif defined(__aarch64__)
#define MACHINE "arm64"
#elif defined(__i386__)
#define MACHINE "386"
#elif defined(__powerpc64__)
#define MACHINE "ppc64le"
#elif defined(__riscv)
#define MACHINE "riscv64"
#elif defined(__s390x__)
#define MACHINE "s390x"
#elif defined(__loongarch64)
#define MACHINE "loong64"
#else
#define MACHINE "arm"
#endif

/* Keys as the existing tools print them; there is no Go here, so that one says so. */
static const struct {
	const char *label, *key, *value;
} facts[] = {
	{ "GitVersion:", "gitVersion", "v" PROJECT_VERSION },
	{ "GitCommit:", "gitCommit", "unknown" },
	{ "GitTreeState:", "gitTreeState", "unknown" },
	{ "BuildDate:", "buildDate", "unknown" },
	{ "GoVersion:", "goVersion", "none" },
	{ "Compiler:", "compiler", COMPILER },
	{ "Platform:", "platform", "linux/" MACHINE },
};

struct str version_text(const char *program, bool json, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 16);
	if (!json) {
		buf_printf(&b, "%s\n\n", program);
		for (size_t i = 0; i < countof(facts); i++)
			buf_printf(&b, "%-15s%s\n", facts[i].label, facts[i].value);
		return arena_str(a, buf_str(&b));
	}
	struct jwrite w;
	jw_init(&w, &b, 2);
	jw_object(&w);
	for (size_t i = 0; i < countof(facts); i++)
		jw_kstr(&w, facts[i].key, str_of(facts[i].value));
	jw_object_end(&w);
	buf_addc(&b, '\n');
	return arena_str(a, buf_str(&b));
}
