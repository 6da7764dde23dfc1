#include <stdint.h>
#include <stdlib.h>

#include "melange/config/load.h"
#include "melange/query/tmpl.h"
#include "shared/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char file[] = "package: {name: n, version: 1, epoch: 2, copyright: [{license: MIT}]}\n"
	"vars: {a: b, c: ''}\n"
	"pipeline: [{uses: fetch, with: {uri: x}}, {pipeline: [{runs: a}]}]\n"
	"subpackages: [{name: m, dependencies: {runtime: [x, y]}}]\n"
	"update: {enabled: true, github: {identifier: a/b}}\n";

/* A template prints the same each time, and one that ran says nothing of an error. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT, again_err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(1 << 16), again = BUF_INIT(1 << 16);
	const struct load_opts lo = { .any_version = true };
	struct config c;
	const struct tmpl *t;

	log_setup(LOG_ERROR + 1, 2);
	if (!config_parse(str_of(file), "f", &lo, &a, &c, &err))
		abort();
	if (!tmpl_parse(str_n((const char *)data, size), &a, &t, &err))
		return err.msg ? 0 : (abort(), 0);
	bool ok = tmpl_run(t, gval_config(&c), &out, &err);
	bool same = tmpl_run(t, gval_config(&c), &again, &again_err) == ok;
	if (!same || ok != !err.msg || (ok && !str_eq(buf_str(&out), buf_str(&again))))
		abort();
	return 0;
}
