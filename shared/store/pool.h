#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "shared/base/err.h"

/* One worker pool: independent jobs on const input, taken in the order submitted; whoever waits
 * for a job runs others meanwhile. Sized from the affinity mask and the cgroup quota. A job may
 * not wait for other jobs. With one CPU there are no threads: jobs run when waited for. */

struct pool;

enum job_state { JOB_IDLE, JOB_QUEUED, JOB_RUNNING, JOB_DONE };
struct job {
	bool (*run)(struct job *j, struct err *err);	/* embed struct job in the job's data */
	/* A long job beside others, set before it is submitted: who waits for a job that is none
	 * leaves it to the workers. */
	bool lane;
	struct err err;
	bool ok;
	enum job_state state;
	struct job *next;
};

unsigned pool_cpus(void);
struct pool *pool_new(unsigned threads);	/* 0 = pool_cpus() workers in all, caller included */
void pool_free(struct pool *p);			/* waits for what runs */
unsigned pool_width(const struct pool *p);
/* 0 for the thread that made the pool, 1.. for workers: index of per-thread scratch. */
unsigned pool_slot(void);
void pool_submit(struct pool *p, struct job *j);
/* Waits (running queued jobs meanwhile); moves the job's error to err when it failed. */
bool pool_wait(struct pool *p, struct job *j, struct err *err) must_check;
/* Calls fn for i in 0..n-1 on all workers; the error of the lowest failing i is reported. */
bool pool_each(struct pool *p, size_t n,
	bool (*fn)(size_t i, unsigned slot, void *user, struct err *err), void *user,
	struct err *err) must_check;
