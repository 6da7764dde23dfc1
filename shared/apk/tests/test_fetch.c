#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/apk/tests/recipe.h"
#include "shared/net/http.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* Packages fetched from a directory and from a server. */

/* A local repository of two packages. */

static void put_in_repo(struct recipe_fix *f, const char *dir, const char *name, const char *text,
	struct apk_pkg *ret)
{
	auto_buf struct buf apk = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	struct recipe r = { .data = E(F("file", text)) };

	r.pkginfo = arena_printf(&f->a, "pkgname = %s\npkgver = 1-r0\narch = x86_64\n"
		"datahash = %%s\n", name);
	*ret = (struct apk_pkg){ .name = str_of(name), .version = S("1-r0"), .arch = S("x86_64"),
		.checksum_n = SHA1_SIZE };
	recipe_build(&r, &apk, ret->checksum);
	ret->file_size = apk.n;
	assert_true(file_write(arena_printf(&f->a, "%s/%s-1-r0.apk", dir, name), apk.p, apk.n,
		0644, &err));
}

static void fetching(void **state)
{
	struct recipe_fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_index index = { .base = str_of(f->dir), .is_local = true, .arch = S("x86_64") };
	struct apk_pkg pkgs[20];
	const struct apk_pkg *list[20];
	struct apk_file files[20];
	struct pool *pool = pool_new(3);
	const struct apk_fetch how = { .store = f->s, .pool = pool };

	for (int i = 0; i < 20; i++) {
		char *name = arena_printf(&f->a, "pkg%d", i);
		put_in_repo(f, f->dir, name, name, &pkgs[i]);
		pkgs[i].index = &index;
		list[i] = &pkgs[i];
	}
	for (int round = 0; round < 2; round++) {
		assert_true(apk_fetch_all(&how, list, 20, &f->a, files, &err));
		for (int i = 0; i < 20; i++) {
			assert_ptr_equal(files[i].pkg, list[i]);
			assert_true(str_eq(files[i].info.name, pkgs[i].name));
			assert_int_equal(files[i].n_entries, 1);
			apk_file_close(&files[i]);
		}
		/* From now on out of the store. */
		for (int i = 0; i < 20; i++)
			(void)unlink(arena_printf(&f->a, "%s/pkg%d-1-r0.apk", f->dir, i));
	}
	recipe_clear_store(f);
	put_in_repo(f, f->dir, "pkg0", "pkg0", &pkgs[0]);
	pkgs[0].index = &index;
	assert_false(apk_fetch_all(&how, list, 20, &f->a, files, &err));
	assert_int_equal(err.kind, EK_NOTFOUND);
	assert_non_null(strstr(err.msg, "pkg"));
	assert_non_null(strstr(err.msg, f->dir));
	pool_free(pool);
}

/* Without a client, a remote package is only had from the store. */
static void remote_without_network(void **state)
{
	struct recipe_fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_index index = { .base = str_of(f->dir), .is_local = true };
	struct apk_pkg p;
	const struct apk_pkg *list = &p;
	struct apk_file file;
	struct pool *pool = pool_new(2);
	const struct apk_fetch how = { .store = f->s, .pool = pool };

	put_in_repo(f, f->dir, "pkg", "x", &p);
	p.index = &index;
	assert_true(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	apk_file_close(&file);
	index = (struct apk_index){ .base = S("https://user:secret@repo.invalid/x86_64") };
	assert_true(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	apk_file_close(&file);
	recipe_clear_store(f);
	assert_false(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	assert_int_equal(err.kind, EK_NETWORK);
	assert_non_null(strstr(err.msg, "repo.invalid/x86_64/pkg-1-r0.apk"));
	assert_null(strstr(err.msg, "secret"));
	assert_int_equal(recipe_objects(f), 0);
	pool_free(pool);
}

/* A server of the files in a directory: one request per connection. */

static void answer(int c, const char *dir)
{
	auto_err struct err err = ERR_INIT;
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf body = BUF_INIT(1 << 20), head = BUF_INIT(1000);
	char req[4096] = "", path[200];
	ssize_t n = 0, got;

	while (n < (ssize_t)sizeof(req) - 1 && !strstr(req, "\r\n\r\n") &&
	       (got = read(c, req + n, sizeof(req) - 1 - (size_t)n)) > 0)
		n += got;
	if (sscanf(req, "GET %199s ", path) != 1)
		return;
	bool ok = file_read(arena_printf(&a, "%s%s", dir, path), &body, &err);
	buf_printf(&head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		ok ? "200 OK" : "404 Not Found", body.n);
	err_release(&err);
	(void)(fd_write_all(c, head.p, head.n, "socket", &err) &&
		fd_write_all(c, body.p ? body.p : "", body.n, "socket", &err));
}

static pid_t serve(const char *dir, int *ret_port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&addr, &len), 0);
	assert_int_equal(listen(s, 50), 0);
	*ret_port = ntohs(addr.sin_port);
	pid_t pid = fork();
	if (pid == 0)
		(void)signal(SIGPIPE, SIG_IGN);	/* clients hang up */
	for (int c; pid == 0 && (c = accept(s, NULL, NULL)) >= 0; close(c))
		answer(c, dir);
	if (pid == 0)
		_exit(0);
	close(s);
	return pid;
}

static void fetching_from_a_server(void **state)
{
	struct recipe_fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_index index = { .arch = S("x86_64") };
	struct apk_pkg pkgs[20];
	const struct apk_pkg *list[20];
	struct apk_file files[20];
	int port = 0;
	char *dir = arena_printf(&f->a, "%s/www", f->dir);

	assert_int_equal(mkdir(dir, 0755), 0);
	for (int i = 0; i < 20; i++) {
		char *name = arena_printf(&f->a, "pkg%d", i);
		put_in_repo(f, dir, name, name, &pkgs[i]);
		pkgs[i].index = &index;
		list[i] = &pkgs[i];
	}
	pid_t pid = serve(dir, &port);
	index.base = arena_strf(&f->a, "http://127.0.0.1:%d", port);
	struct pool *pool = pool_new(3);
	auto_http struct http *http = http_new(&(struct http_opts){ .pause_ns = 1000000 }, &err);
	const struct apk_fetch how = { .store = f->s, .pool = pool, .http = http };
	assert_non_null(http);
	assert_true(apk_fetch_all(&how, list, 20, &f->a, files, &err));
	for (int i = 0; i < 20; i++) {
		assert_true(str_eq(files[i].info.name, pkgs[i].name));
		apk_file_close(&files[i]);
	}
	assert_int_equal(recipe_objects(f), 60);
	recipe_clear_store(f);
	/* Not there, then not what was promised. */
	char *gone = arena_printf(&f->a, "%s/pkg7-1-r0.apk", dir);
	assert_int_equal(unlink(gone), 0);
	assert_false(apk_fetch_all(&how, list, 20, &f->a, files, &err));
	assert_int_equal(err.kind, EK_NOTFOUND);
	assert_non_null(strstr(err.msg, "/pkg7-1-r0.apk"));
	assert_int_equal(recipe_names_left(f), 0);
	err_release(&err);
	assert_int_equal(link(arena_printf(&f->a, "%s/pkg8-1-r0.apk", dir), gone), 0);
	pkgs[7].file_size = 0;
	assert_false(apk_fetch_all(&how, list, 20, &f->a, files, &err));
	if (!strstr(err.msg, "/pkg7-1-r0.apk': control hash mismatch"))
		fail_msg("%s", err.msg);
	assert_int_equal(err.kind, EK_TRUST);
	assert_int_equal(recipe_names_left(f), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	pool_free(pool);
}

static void what_is_stored_must_agree_too(void **state)
{
	struct recipe_fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_index index = { .base = str_of(f->dir), .is_local = true, .arch = S("x86_64") };
	struct apk_pkg p;
	const struct apk_pkg *list = &p;
	struct apk_file file;
	struct pool *pool = pool_new(1);
	const struct apk_fetch how = { .store = f->s, .pool = pool };

	put_in_repo(f, f->dir, "pkg", "x", &p);
	p.index = &index;
	assert_true(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	apk_file_close(&file);
	p.file_size++;
	assert_false(apk_fetch_all(&how, &list, 1, &f->a, &file, &err));
	assert_non_null(strstr(err.msg, "size mismatch"));
	pool_free(pool);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, recipe_setup, recipe_teardown)
	const struct CMUnitTest tests[] = {
		T(fetching), T(remote_without_network), T(fetching_from_a_server),
		T(what_is_stored_must_agree_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
