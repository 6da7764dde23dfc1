#include "shared/store/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/str.h"

#define POOL_MAX 256	/* threads */

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	struct job *head, **tail;
	bool stop, started;
	unsigned width;		/* workers and the caller */
	unsigned n_threads;
	pthread_t *threads;
};

struct worker {
	struct pool *pool;
	unsigned slot;
};

static _Thread_local unsigned slot_of_thread;

/* How many processors */

static bool read_line(const char *path, char *buf, size_t n)
{
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(buf, (int)n, f);

	if (f)
		fclose(f);
	if (ok)
		buf[strcspn(buf, "\n")] = 0;
	return ok;
}

/* cpu.max is "QUOTA PERIOD" or "max PERIOD". */
static unsigned quota_of(const char *dir, unsigned cpus)
{
	char path[4200], line[64];
	unsigned long long quota, period;

	(void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", dir);
	if (!read_line(path, line, sizeof(line)) ||
	    sscanf(line, "%llu %llu", &quota, &period) != 2 || period == 0)
		return cpus;
	unsigned long long n = quota / period + (quota % period != 0);
	return n < 1 ? 1 : n < cpus ? (unsigned)n : cpus;
}

/* The quota of every group above ours holds as well. */
static unsigned cgroup_cpus(unsigned cpus)
{
	char line[4096];

	if (!read_line("/proc/self/cgroup", line, sizeof(line)) || strncmp(line, "0::/", 4) != 0)
		return cpus;
	char *dir = line + 3;
	for (;;) {
		cpus = quota_of(strcmp(dir, "/") == 0 ? "" : dir, cpus);
		char *slash = strrchr(dir, '/');
		if (!slash || !*dir)
			return cpus;
		*slash = 0;
	}
}

unsigned pool_cpus(void)
{
	cpu_set_t set;
	int n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	else
		n = (int)sysconf(_SC_NPROCESSORS_ONLN);
	return cgroup_cpus(n < 1 ? 1 : n > POOL_MAX ? POOL_MAX : (unsigned)n);
}

/* The queue; all with the lock held. */

static struct job *take(struct pool *p, bool lanes)
{
	struct job **at = &p->head;

	while (*at && (*at)->lane && !lanes)
		at = &(*at)->next;
	struct job *j = *at;
	if (!j)
		return NULL;
	*at = j->next;
	if (!*at)
		p->tail = at;
	j->next = NULL;
	j->state = JOB_RUNNING;
	return j;
}

static void run(struct pool *p, struct job *j)
{
	pthread_mutex_unlock(&p->lock);
	bool ok = j->run(j, &j->err);
	pthread_mutex_lock(&p->lock);
	j->ok = ok;
	j->state = JOB_DONE;
	pthread_cond_broadcast(&p->done);
}

static void *work(void *arg)
{
	struct worker w = *(struct worker *)arg;
	struct pool *p = w.pool;

	free(arg);
	slot_of_thread = w.slot;
	pthread_mutex_lock(&p->lock);
	while (!p->stop || p->head) {
		struct job *j = take(p, true);
		if (j)
			run(p, j);
		else
			pthread_cond_wait(&p->work, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static bool start(struct pool *p)
{
	struct worker *w = malloc(sizeof(*w));

	if (!w)
		BUG("out of memory");
	*w = (struct worker){ .pool = p, .slot = p->n_threads + 1 };
	if (pthread_create(&p->threads[p->n_threads], NULL, work, w) == 0) {
		p->n_threads++;
		return true;
	}
	free(w);
	return false;
}

struct pool *pool_new(unsigned threads)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (!p)
		BUG("out of memory");
	p->width = threads == 0 ? pool_cpus() : threads > POOL_MAX ? POOL_MAX : threads;
	p->tail = &p->head;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->done, NULL);
	p->threads = calloc(p->width, sizeof(p->threads[0]));
	if (!p->threads)
		BUG("out of memory");
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	for (struct job *j; (j = take(p, true));)
		run(p, j);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p->threads);
	free(p);
}

unsigned pool_width(const struct pool *p)
{
	return p->width;
}

unsigned pool_slot(void)
{
	return slot_of_thread;
}

void pool_submit(struct pool *p, struct job *j)
{
	pthread_mutex_lock(&p->lock);
	j->err = (struct err)ERR_INIT;
	j->ok = false;
	j->next = NULL;
	j->state = JOB_QUEUED;
	/* Not before there is work. Fewer than asked for (a process limit) only makes it slower. */
	while (!p->started && p->n_threads + 1 < p->width && start(p))
		continue;
	p->started = true;
	*p->tail = j;
	p->tail = &j->next;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

bool pool_wait(struct pool *p, struct job *j, struct err *err)
{
	pthread_mutex_lock(&p->lock);
	if (j->state == JOB_IDLE)
		BUG("waiting for a job that was not submitted");
	while (j->state != JOB_DONE) {
		struct job *other = take(p, j->lane);
		if (other)
			run(p, other);
		else
			pthread_cond_wait(&p->done, &p->lock);
	}
	j->state = JOB_IDLE;
	pthread_mutex_unlock(&p->lock);
	return j->ok || err_move(err, &j->err);
}

/* Indexes are handed out in order, and after a failure no more: so every index below the lowest
 * failing one has run, whatever the timing. */
struct each {
	size_t n;
	bool (*fn)(size_t i, unsigned slot, void *user, struct err *err);
	void *user;
	atomic_size_t next;
	atomic_bool failed;
};
struct each_job {
	struct job job;
	struct each *each;
	size_t at;	/* where it failed */
};

static bool each_run(struct job *job, struct err *err)
{
	struct each_job *j = (struct each_job *)job;
	struct each *e = j->each;

	while (!atomic_load(&e->failed)) {
		size_t i = atomic_fetch_add(&e->next, 1);
		if (i >= e->n)
			return true;
		if (!e->fn(i, pool_slot(), e->user, err)) {
			j->at = i;
			atomic_store(&e->failed, true);
			return false;
		}
	}
	return true;
}

bool pool_each(struct pool *p, size_t n,
	bool (*fn)(size_t i, unsigned slot, void *user, struct err *err), void *user,
	struct err *err)
{
	struct each e = { .n = n, .fn = fn, .user = user };
	size_t width = n < p->width ? n : p->width;
	struct each_job *jobs = calloc(width + 1, sizeof(*jobs));
	struct each_job *worst = NULL;

	if (!jobs)
		BUG("out of memory");
	for (size_t i = 0; i < width; i++) {
		jobs[i] = (struct each_job){ .job.run = each_run, .each = &e };
		pool_submit(p, &jobs[i].job);
	}
	for (size_t i = 0; i < width; i++) {
		auto_err struct err one = ERR_INIT;
		if (pool_wait(p, &jobs[i].job, &one))
			continue;
		(void)err_move(&jobs[i].job.err, &one);
		if (!worst || jobs[i].at < worst->at)
			worst = &jobs[i];
	}
	bool ok = !worst || err_move(err, &worst->job.err);
	for (size_t i = 0; i < width; i++)
		err_release(&jobs[i].job.err);
	free(jobs);
	return ok;
}
