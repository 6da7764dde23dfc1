#include "melange/cmd/batch.h"

#include <pthread.h>
#include <sys/stat.h>

#include "melange/cmd/cmd.h"
#include "shared/base/log.h"
#include "shared/os/dir.h"
#include "shared/store/pool.h"

#define MAX_OUT ((size_t)1 << 30)

struct batch {
	bool (*one)(const char *path, struct arena *a, struct buf *out, void *user,
		struct err *err);
	void *user;
	struct strs paths;
	struct result {
		struct buf out;
		struct err err;
		bool done;
	} *results;
	pthread_mutex_t lock;
	size_t next, failed;		/* under lock */
};

/* Prints what is ready at the front; called under the lock. */
static bool print_ready(struct batch *b, struct err *err)
{
	bool ok = true;
	for (; ok && b->next < b->paths.n && b->results[b->next].done; b->next++) {
		struct result *r = &b->results[b->next];
		if (r->err.msg) {
			b->failed++;
			log_error("%s: %s", b->paths.v[b->next].p, r->err.msg);
		} else {
			ok = cmd_print(buf_str(&r->out), err);
		}
		buf_release(&r->out);
		err_release(&r->err);
	}
	return ok;
}

static bool run_one(size_t i, unsigned slot, void *user, struct err *err)
{
	(void)slot;
	struct batch *b = user;
	struct result *r = &b->results[i];
	auto_arena struct arena a = ARENA_INIT;
	buf_init(&r->out, MAX_OUT);
	(void)!b->one(b->paths.v[i].p, &a, &r->out, b->user, &r->err);
	pthread_mutex_lock(&b->lock);
	r->done = true;
	bool ok = print_ready(b, err);
	pthread_mutex_unlock(&b->lock);
	return ok;
}

static bool add_paths(const char *arg, struct strs *paths, struct arena *a, struct err *err)
{
	struct stat st;
	struct strs names = { 0 };
	if (stat(arg, &st) != 0 || !S_ISDIR(st.st_mode)) {
		strs_push(a, paths, str_of(arg));
		return true;
	}
	if (!dir_names(arg, a, &names, err))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i].p[0] != '.' && str_ends(names.v[i], S(".yaml")))
			strs_push(a, paths, arena_strf(a, "%s/%.*s", arg, STR_ARG(names.v[i])));
	return true;
}

bool batch_wanted(const struct strs *args)
{
	struct stat st;
	return args->n > 1 ||
	       (args->n == 1 && stat(args->v[0].p, &st) == 0 && S_ISDIR(st.st_mode));
}

bool batch_run(const struct strs *args, const char *what,
	bool (*one)(const char *path, struct arena *a, struct buf *out, void *user, struct err *err),
	void *user, struct arena *a, struct err *err)
{
	struct batch b = { .one = one, .user = user, .lock = PTHREAD_MUTEX_INITIALIZER };
	for (size_t i = 0; i < args->n; i++)
		if (!add_paths(args->v[i].p, &b.paths, a, err))
			return false;
	b.results = arena_array(a, struct result, b.paths.n + 1);
	struct pool *pool = pool_new(0);
	bool ok = pool_each(pool, b.paths.n, run_one, &b, err);
	pool_free(pool);
	return ok && (b.failed == 0 ||
		err_set(err, EK_OTHER, "%zu of %zu files %s", b.failed, b.paths.n, what));
}
