#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "shared/base/compiler.h"
#include "shared/store/pool.h"

static const unsigned widths[] = { 1, 2, 3, 8 };

struct square {
	struct job job;
	unsigned in, out, slot;
	bool fail;
};

static bool square_run(struct job *job, struct err *err)
{
	struct square *s = (struct square *)job;

	s->slot = pool_slot();
	if (s->fail)
		return err_set(err, EK_PARSE, "job %u failed", s->in);
	s->out = s->in * s->in;
	return true;
}

static void results_and_slots(void **state)
{
	(void)state;
	for (size_t w = 0; w < countof(widths); w++) {
		struct pool *p = pool_new(widths[w]);
		static struct square jobs[500];

		assert_in_range(pool_width(p), 1, widths[w]);
		for (unsigned i = 0; i < countof(jobs); i++) {
			jobs[i] = (struct square){ .job.run = square_run, .in = i };
			pool_submit(p, &jobs[i].job);
		}
		for (unsigned i = 0; i < countof(jobs); i++) {
			auto_err struct err err = ERR_INIT;
			assert_true(pool_wait(p, &jobs[i].job, &err));
			assert_int_equal(jobs[i].out, i * i);
			assert_in_range(jobs[i].slot, 0, pool_width(p) - 1);
		}
		pool_free(p);
	}
}

static void a_failed_job_gives_its_error(void **state)
{
	(void)state;
	struct pool *p = pool_new(2);
	struct square good = { .job.run = square_run, .in = 3 };
	struct square bad = { .job.run = square_run, .in = 4, .fail = true };
	auto_err struct err err = ERR_INIT;

	pool_submit(p, &bad.job);
	pool_submit(p, &good.job);
	assert_true(pool_wait(p, &good.job, &err));
	assert_false(pool_wait(p, &bad.job, &err));
	assert_int_equal(err.kind, EK_PARSE);
	assert_string_equal(err.msg, "job 4 failed");
	/* A job may be used again. */
	err_release(&err);
	bad.fail = false;
	pool_submit(p, &bad.job);
	assert_true(pool_wait(p, &bad.job, &err));
	assert_int_equal(bad.out, 16);
	pool_free(p);
}

static void freeing_runs_what_is_queued(void **state)
{
	(void)state;
	static struct square jobs[50];
	struct pool *p = pool_new(1);

	for (unsigned i = 0; i < countof(jobs); i++) {
		jobs[i] = (struct square){ .job.run = square_run, .in = i + 1 };
		pool_submit(p, &jobs[i].job);
	}
	pool_free(p);
	for (unsigned i = 0; i < countof(jobs); i++)
		assert_int_equal(jobs[i].out, (i + 1) * (i + 1));
}

struct each_user {
	atomic_uint seen[1000];
	size_t fail_a, fail_b;
	unsigned width;
};

static bool each_fn(size_t i, unsigned slot, void *user, struct err *err)
{
	struct each_user *u = user;

	assert_true(slot < u->width);
	atomic_fetch_add(&u->seen[i], 1);
	if (i == u->fail_a) {
		/* The lower one fails later than the higher one. */
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
		return err_set(err, EK_OTHER, "at %zu", i);
	}
	return i != u->fail_b || err_set(err, EK_OTHER, "at %zu", i);
}

static void each_runs_every_index_once(void **state)
{
	(void)state;
	for (size_t w = 0; w < countof(widths); w++) {
		struct pool *p = pool_new(widths[w]);
		struct each_user *u = calloc(1, sizeof(*u));
		auto_err struct err err = ERR_INIT;

		u->fail_a = u->fail_b = SIZE_MAX;
		u->width = pool_width(p);
		assert_true(pool_each(p, countof(u->seen), each_fn, u, &err));
		for (size_t i = 0; i < countof(u->seen); i++)
			assert_int_equal(u->seen[i], 1);
		assert_true(pool_each(p, 0, each_fn, u, &err));
		free(u);
		pool_free(p);
	}
}

static void each_reports_the_lowest_failure(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct pool *p = pool_new(widths[round % countof(widths)]);
		struct each_user *u = calloc(1, sizeof(*u));
		auto_err struct err err = ERR_INIT;

		u->fail_a = 100;
		u->fail_b = 101;
		u->width = pool_width(p);
		assert_false(pool_each(p, countof(u->seen), each_fn, u, &err));
		assert_string_equal(err.msg, "at 100");
		free(u);
		pool_free(p);
	}
}

static void width_is_sane(void **state)
{
	(void)state;
	assert_in_range(pool_cpus(), 1, 256);
	assert_int_equal(pool_slot(), 0);
	struct pool *p = pool_new(0);
	assert_in_range(pool_width(p), 1, pool_cpus());
	pool_free(p);
	pool_free(NULL);
}

/* Without workers a lane runs only when it is waited for itself. */
static void lanes(void **state)
{
	(void)state;
	struct pool *p = pool_new(1);
	struct square jobs[4] = { 0 };
	auto_err struct err err = ERR_INIT;

	for (unsigned i = 0; i < countof(jobs); i++) {
		jobs[i].job.run = square_run;
		jobs[i].job.lane = i % 2 == 0;
		jobs[i].in = i + 2;
		pool_submit(p, &jobs[i].job);
	}
	assert_true(pool_wait(p, &jobs[3].job, &err));
	assert_int_equal(jobs[1].out, 9);
	assert_int_equal(jobs[3].out, 25);
	assert_int_equal(jobs[0].out + jobs[2].out, 0);
	pool_submit(p, &jobs[3].job);
	assert_true(pool_wait(p, &jobs[2].job, &err));
	assert_int_equal(jobs[0].out, 4);
	assert_int_equal(jobs[2].out, 16);
	for (unsigned i = 0; i < countof(jobs); i++)
		assert_true(i == 2 || pool_wait(p, &jobs[i].job, &err));
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_and_slots),
		cmocka_unit_test(lanes),
		cmocka_unit_test(a_failed_job_gives_its_error),
		cmocka_unit_test(freeing_runs_what_is_queued),
		cmocka_unit_test(each_runs_every_index_once),
		cmocka_unit_test(each_reports_the_lowest_failure),
		cmocka_unit_test(width_is_sane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
