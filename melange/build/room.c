#include "melange/build/room.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "shared/base/num.h"
#include "shared/os/path.h"

bool room_guest(const struct room_req *req, struct imgconf *env, struct arena *a, struct room *ret,
	struct err *err)
{
	if (req->rootfs) {
		ret->guest = path_abs(a, req->rootfs);
		return guest_ids_read(ret->guest, a, &ret->ids, err);
	}
	if (!imgconf_finish(env, a, err))
		return false;
	const struct guest_req gr = {
		.env = env,
		.arch = req->arch,
		.keys = req->keys,
		.repos = req->repos,
		.packages = req->packages,
		.ignore_signatures = req->ignore_signatures,
		.store = req->store,
		.pool = req->pool,
		.http = req->http,
	};
	struct guest g;
	if (!guest_make(&gr, a, &g, err))
		return false;
	ret->guest = g.dir;
	ret->locked = g.locked;
	return guest_ids_read(g.dir, a, &ret->ids, err);
}

/* How many jobs a step may run at once, where nproc in the guest would not know: the cgroup's quota
 * gives us less than the CPU mask, or MELANGE_JOBS asks for less. The built-in pipelines obey. */
static void set_jobs(struct arena *a, struct ykvs *env)
{
	cpu_set_t mask;
	const char *asked = getenv("MELANGE_JOBS");
	uint64_t jobs = pool_cpus(), fewer;
	if (asked && num_u64(str_of(asked), 10, &fewer) && fewer && fewer < jobs)
		jobs = fewer;
	if (sched_getaffinity(0, sizeof(mask), &mask) != 0 || jobs < (uint64_t)CPU_COUNT(&mask))
		ykvs_set(a, env, S("MELANGE_JOBS"),
			(struct ystr){ arena_strf(a, "%llu", (unsigned long long)jobs), NULL });
}

static const char *existing_dir(const char *dir, struct arena *a)
{
	struct stat st;
	if (!dir || stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
		return NULL;
	char *real = realpath(dir, NULL), *copy = real ? arena_strdup(a, real) : NULL;
	free(real);
	return copy;
}

bool room_open(const struct room_req *req, const struct imgconf *env, struct arena *a,
	struct room *r, struct err *err)
{
	struct sandbox_spec spec = {
		.guest = r->guest,
		.guest_read_only = req->rootfs != NULL,
		.guest_shared = req->rootfs == NULL,
		.workspace = req->workspace,
		.cache_dir = existing_dir(req->cache_dir, a),
		.resolv_conf = true,
		.network = req->network,
		.cap_add = ystrs_texts(a, req->cap_add),
		.cap_drop = ystrs_texts(a, req->cap_drop),
		.debug = req->debug,
	};
	if (req->epoch)
		ykvs_set(a, &spec.env, S("SOURCE_DATE_EPOCH"),
			(struct ystr){ str_of(req->epoch), NULL });
	set_jobs(a, &spec.env);
	for (size_t k = 0; k < countof(req->env); k++)
		for (size_t i = 0; req->env[k] && i < req->env[k]->n; i++)
			ykvs_set(a, &spec.env, req->env[k]->v[i].key, req->env[k]->v[i].val);
	if (!guest_run_as(&r->ids, env->accounts.run_as, &spec.uid, &spec.gid, err))
		return false;
	r->sandbox = req->runner->open(&spec, err);
	return r->sandbox != NULL;
}

void room_close(const struct room_req *req, struct room *r)
{
	if (r->sandbox)
		req->runner->close(r->sandbox);
	r->sandbox = NULL;
}
