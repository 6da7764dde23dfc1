#include "bench/synthetic.h"

#include "shared/base/arena.h"
#include "shared/crypto/digest.h"

#define VERSIONS 3u	/* of each package */
#define SUBS 4u		/* NAME, NAME-libs, NAME-dev, NAME-doc */

static const char *const endings[SUBS] = { "", "-libs", "-dev", "-doc" };
static const char *const words[] = { "fast", "small", "library", "tools", "server", "client", "for",
	"parsing", "of", "archives", "and", "network", "protocols", "written", "in", "portable", "code",
	"with", "bindings", "tests" };

struct made {
	uint32_t random;
	struct buf *out;
	struct arena tmp;
};

static uint32_t next(uint32_t *random, uint32_t below)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return *random % below;
}

/* A few are needed by many, most by few. */
static unsigned popular(uint32_t *random, unsigned below)
{
	for (unsigned i = 0; i < 4; i++)
		below = 1 + next(random, below);
	return below < 2 ? 1 : below - 1;
}

static void add_depends(struct made *m, unsigned base, unsigned sub, unsigned version)
{
	buf_adds(m->out, "D:so:libc.so.6");
	if (sub == 0)
		buf_printf(m->out, " so:lib%u.so.1", base);
	if (sub == 2)
		buf_printf(m->out, " pkg%u=1.%u.0-r%u pkg%u-libs=1.%u.0-r%u", base, version, base % 7,
			base, version, base % 7);
	for (unsigned k = next(&m->random, 5); base > 8 && sub < 3 && k > 0; k--) {
		unsigned other = popular(&m->random, base);
		if (k == 4)
			buf_printf(m->out, " pkg%u>1.0", other);
		else if (sub == 2)
			buf_printf(m->out, " pc:pkg%u>=1", other);
		else
			buf_printf(m->out, " so:lib%u.so.1", other);
	}
	buf_addc(m->out, '\n');
}

static void add_provides(struct made *m, unsigned base, unsigned sub, unsigned version)
{
	if (sub == 0)
		buf_printf(m->out, "p:cmd:pkg%u=1.%u.0-r%u cmd:pkg%uctl=1.%u.0-r%u\n", base, version,
			base % 7, base, version, base % 7);
	if (sub == 1)
		buf_printf(m->out, "p:so:lib%u.so.1=1.%u.0%s\n", base, version,
			base == 0 ? " so:libc.so.6=6" : "");
	if (sub == 2)
		buf_printf(m->out, "p:pc:pkg%u=1.%u.0\n", base, version);
	if (sub == 3)
		buf_printf(m->out, "i:docs pkg%u=1.%u.0-r%u\n", base, version, base % 7);
}

static void add_package(struct made *m, unsigned base, unsigned sub, unsigned version)
{
	uint8_t sum[SHA1_SIZE];
	for (size_t i = 0; i < sizeof(sum); i++)
		sum[i] = (uint8_t)next(&m->random, 256);
	buf_printf(m->out, "C:Q1%s\nP:pkg%u%s\nV:1.%u.0-r%u\nA:x86_64\nS:%u\nI:%u\nT:",
		base64_encode(&m->tmp, sum, sizeof(sum)), base, endings[sub], version, base % 7,
		next(&m->random, 9000000), next(&m->random, 30000000));
	for (unsigned i = 4 + next(&m->random, 6); i > 0; i--)
		buf_printf(m->out, "%s ", words[next(&m->random, countof(words))]);
	buf_printf(m->out, "\nU:https://www.example.org/projects/pkg%u\nL:Apache-2.0 AND MIT\no:pkg%u\n"
			   "m:Packagers <packagers@example.org>\nt:17%08u\nc:",
		base, base, next(&m->random, 99999999));
	for (unsigned i = 0; i < 5; i++)
		buf_printf(m->out, "%08x", next(&m->random, UINT32_MAX));
	buf_addc(m->out, '\n');
	add_depends(m, base, sub, version);
	add_provides(m, base, sub, version);
	buf_addc(m->out, '\n');
	arena_release(&m->tmp);
}

void synthetic_index(unsigned n_pkgs, struct buf *out)
{
	struct made m = { .random = 2463534242u, .out = out, .tmp = ARENA_INIT };
	for (unsigned i = 0; i < n_pkgs; i++)
		add_package(&m, i / (SUBS * VERSIONS), i / VERSIONS % SUBS, i % VERSIONS);
}

void synthetic_request(unsigned n_pkgs, unsigned n, uint32_t seed, struct buf *out)
{
	uint32_t random = 88172645u ^ seed * 2654435761u;
	for (unsigned i = 0; i < n; i++)
		buf_printf(out, "%spkg%u%s", i ? " " : "", next(&random, n_pkgs / (SUBS * VERSIONS)),
			endings[next(&random, SUBS)]);
}
