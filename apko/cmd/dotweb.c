#include "apko/cmd/dotweb.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/os/fd.h"
#include "shared/os/proc.h"

#define MAX_REQUEST 8192
#define MAX_GRAPH (64u << 20)
#define WAIT_MS 3000 /* for a request to arrive, and for its answer to be taken */
#define DRAW_NS (120 * 1000000000ll)

struct serving {
	const struct dotweb *web;
	unsigned port;
};

static bool answer(int fd, const char *status, const char *type, struct str body, struct err *err)
{
	auto_buf struct buf out = BUF_INIT(MAX_GRAPH * 2);
	buf_printf(&out,
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		"X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
		status, type, body.n);
	buf_addstr(&out, body);
	return fd_write_all(fd, out.p, out.n, "connection", err);
}

static bool refuse(int fd, const char *status, struct err *err)
{
	return answer(fd, status, "text/plain; charset=utf-8", str_of(status), err);
}

/* Graphviz, as a program: it reads the graph and writes the picture. */
static bool picture(struct str graph, struct buf *out, struct err *err)
{
	static const char *const argv[] = { "dot", "-Tsvg", NULL };
	auto_fd int in = memfd_create("graph", MFD_CLOEXEC);
	int status;
	if (in < 0)
		return err_sys(err, "cannot make a memory file");
	if (!fd_write_all(in, graph.p, graph.n, "memory file", err))
		return false;
	if (lseek(in, 0, SEEK_SET) < 0)
		return err_sys(err, "cannot seek in a memory file");
	const struct proc_opts o = { .argv = argv,
		.stdin_fd = in,
		.out = out,
		.timeout_ns = DRAW_NS };
	if (!proc_run(&o, &status, err))
		return false;
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
	       err_set(err, EK_CHILD, "'dot -Tsvg' failed");
}

/* Reading a request */

static int nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;
	return at ? (int)(at - digits) : -1;
}

static struct str decode(struct str s, struct arena *a)
{
	auto_buf struct buf out = BUF_INIT(MAX_REQUEST);
	for (size_t i = 0; i < s.n; i++) {
		int high = s.p[i] == '%' && i + 2 < s.n ? nibble(s.p[i + 1]) : -1;
		int low = high >= 0 ? nibble(s.p[i + 2]) : -1;
		if (low >= 0)
			buf_addc(&out, (char)(high << 4 | low));
		else
			buf_addc(&out, s.p[i] == '+' ? ' ' : s.p[i]);
		if (low >= 0)
			i += 2;
	}
	return arena_str(a, buf_str(&out));
}

static void take_nodes(struct str query, struct arena *a, struct strs *ret)
{
	struct str part;
	while (query.n && str_next(&query, '&', &part))
		if (str_skip(&part, S("node=")) && part.n)
			strs_push(a, ret, decode(part, a));
}

/* Header lines end at a blank one; the host has to be ours. */
static bool host_ok(const struct serving *s, struct str head, struct arena *a)
{
	struct str line, local = arena_strf(a, "localhost:%u", s->port);
	struct str number = arena_strf(a, "127.0.0.1:%u", s->port);
	while (head.n && str_next(&head, '\n', &line)) {
		struct str key, value;
		if (!str_cut(str_trim(line), ':', &key, &value) || key.n != 4 ||
			strncasecmp(key.p, "host", 4) != 0)
			continue;
		value = str_trim(value);
		return str_eq(value, local) || str_eq(value, number);
	}
	return false;
}

static bool read_head(int fd, struct buf *out, struct err *err)
{
	char bytes[1024];
	while (str_find(buf_str(out), S("\r\n\r\n")) < 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, WAIT_MS) == 1 ? read(fd, bytes, sizeof(bytes)) : 0;
		if (n <= 0)
			return err_set(err, EK_NETWORK, "a request did not arrive");
		buf_add(out, bytes, (size_t)n);
		if (out->over)
			return err_set(err, EK_PARSE, "a request is too long");
	}
	return true;
}

static bool respond(const struct serving *s, int fd, struct str head, struct arena *a,
	struct err *err)
{
	auto_buf struct buf graph = BUF_INIT(MAX_GRAPH), svg = BUF_INIT(MAX_GRAPH);
	auto_err struct err why = ERR_INIT;
	struct str line, method, target, path, query, rest = head;
	struct strs nodes = { 0 };
	(void)str_next(&rest, '\n', &line);
	if (!str_word(&line, &method) || !str_word(&line, &target) || !str_is(method, "GET"))
		return refuse(fd, "405 Method Not Allowed", err);
	if (!host_ok(s, rest, a))
		return refuse(fd, "403 Forbidden", err);
	(void)str_cut(target, '?', &path, &query);
	if (!str_is(path, "/"))
		return refuse(fd, "404 Not Found", err);
	take_nodes(query, a, &nodes);
	if (!s->web->draw(&nodes, s->web->user, &graph))
		return refuse(fd, "404 Not Found", err);
	log_info("drawing %.*s", STR_ARG(target));
	if (!picture(buf_str(&graph), &svg, &why))
		return answer(fd, "500 Internal Server Error", "text/plain; charset=utf-8",
			str_of(why.msg), err);
	return answer(fd, "200 OK", "image/svg+xml", buf_str(&svg), err);
}

static void serve_one(const struct serving *s, int fd)
{
	auto_buf struct buf head = BUF_INIT(MAX_REQUEST);
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	const struct timeval wait = { .tv_sec = WAIT_MS / 1000 };
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (!read_head(fd, &head, &err) || !respond(s, fd, buf_str(&head), &a, &err))
		log_debug("browser: %s", err.msg);
}

/* Serving */

static int listen_here(unsigned *ret_port, struct err *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, n) < 0 || listen(fd, 16) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &n) < 0) {
		(void)err_sys(err, "cannot listen on 127.0.0.1");
		return -1;
	}
	*ret_port = ntohs(at.sin_port);
	return fd_steal(&fd);
}

/* A browser is asked for; whether there is one does not matter, since the address is told. */
static void open_browser(unsigned port)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err ignored = ERR_INIT;
	const char *url = arena_printf(&a, "http://localhost:%u/", port);
	const char *const argv[] = { "xdg-open", url, NULL };
	const struct proc_opts o = { .argv = argv, .stdin_fd = -1, .timeout_ns = DRAW_NS };
	int status;
	log_info("serving on %s", url);
	if (proc_find(&a, argv[0]) && !proc_run(&o, &status, &ignored))
		log_debug("no browser: %s", ignored.msg);
}

bool dotweb_serve(const struct dotweb *w, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct serving s = { .web = w };
	if (!proc_find(&a, "dot"))
		return err_set(err, EK_NOTFOUND,
			"--web needs the program 'dot'\n"
			"hint: install Graphviz, or draw what the command "
			"prints without --web");
	auto_fd int fd = listen_here(&s.port, err);
	if (fd < 0)
		return false;
	open_browser(s.port);
	while (proc_check(err)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, 500) != 1)
			continue;
		auto_fd int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (one >= 0)
			serve_one(&s, one);
	}
	return false;
}
