#include "shared/net/tests/server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "shared/base/compiler.h"

#define MAX_ROUTES 64
#define LOG_SIZE (1 << 20)

struct server {
	const struct route *routes;
	size_t n;
	int fd, port;
	pthread_t thread;
	pthread_mutex_t lock;
	unsigned hits[MAX_ROUTES], active, most;
	atomic_bool stop;
	char log[LOG_SIZE];
	size_t log_n;
};

struct conn {
	struct server *s;
	int fd;
};

void send_bytes(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);

		if (w <= 0)
			return;
		p += w;
		n -= (size_t)w;
	}
}

void reply(int fd, const char *head, const char *body, size_t n)
{
	char text[8192];
	int len = snprintf(text, sizeof(text),
		"%s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", head, n);

	send_bytes(fd, text, (size_t)len);
	send_bytes(fd, body, n);
}

void reply_text(int fd, const char *head, const char *text)
{
	reply(fd, head, text, strlen(text));
}

void request_header(const struct request *r, const char *name, char *value, size_t size)
{
	char key[128];
	const char *at, *end;

	(void)snprintf(key, sizeof(key), "\r\n%s: ", name);
	value[0] = '\0';
	at = strcasestr(r->head, key);
	if (!at)
		return;
	at += strlen(key);
	end = strstr(at, "\r\n");
	(void)snprintf(value, size, "%.*s", (int)(end ? end - at : 0), at);
}

void stall(struct server *s, int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	for (int i = 0; i < ms && !atomic_load(&s->stop); i += 20)
		if (poll(&p, 1, 20) != 0)
			return;
}

void reset_on_close(int fd)
{
	struct linger l = { 1, 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

/* Reads the head, then as much body as it announces. */
static bool read_request(int fd, struct request *r)
{
	char length[32], *end;
	size_t n = 0, want;

	do {
		ssize_t got = recv(fd, r->head + n, sizeof(r->head) - 1 - n, 0);

		if (got <= 0)
			return false;
		n += (size_t)got;
		r->head[n] = '\0';
		end = strstr(r->head, "\r\n\r\n");
	} while (!end);
	r->body_n = n - (size_t)(end + 4 - r->head);
	memcpy(r->body, end + 4, r->body_n);
	end[2] = '\0';
	request_header(r, "Content-Length", length, sizeof(length));
	want = strtoul(length, NULL, 10);
	while (r->body_n < want && r->body_n < sizeof(r->body)) {
		ssize_t got = recv(fd, r->body + r->body_n, sizeof(r->body) - r->body_n, 0);

		if (got <= 0)
			return false;
		r->body_n += (size_t)got;
	}
	return sscanf(r->head, "%15s %511s", r->method, r->path) == 2;
}

/* The route of a request, noted; -1 if none. */
static int note(struct server *s, struct request *r)
{
	size_t len = strlen(r->head);
	int found = -1;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n && found < 0; i++)
		if (strcmp(s->routes[i].path, r->path) == 0)
			found = (int)i;
	if (found >= 0)
		r->hit = ++s->hits[found];
	if (s->log_n + len < LOG_SIZE) {
		memcpy(s->log + s->log_n, r->head, len + 1);
		s->log_n += len;
	}
	if (++s->active > s->most)
		s->most = s->active;
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void *serve(void *arg)
{
	struct conn c = *(struct conn *)arg;
	struct request *r = calloc(1, sizeof(*r));
	int route;

	free(arg);
	if (r && read_request(c.fd, r)) {
		route = note(c.s, r);
		if (route >= 0)
			c.s->routes[route].serve(c.s, c.fd, r);
		else
			reply_text(c.fd, "HTTP/1.1 404 Not Found", "no such route");
		pthread_mutex_lock(&c.s->lock);
		c.s->active--;
		pthread_mutex_unlock(&c.s->lock);
	}
	free(r);
	close(c.fd);
	return NULL;
}

static void *listener(void *arg)
{
	struct server *s = arg;
	pthread_t threads[1024];
	size_t n = 0;

	while (n < countof(threads)) {
		struct conn *c = malloc(sizeof(*c));
		int fd = accept(s->fd, NULL, NULL);

		if (fd < 0 || !c || atomic_load(&s->stop)) {
			free(c);
			close(fd);
			break;
		}
		*c = (struct conn){ s, fd };
		if (pthread_create(&threads[n], NULL, serve, c) != 0)
			abort();
		n++;
	}
	while (n > 0)
		pthread_join(threads[--n], NULL);
	return NULL;
}

struct server *server_start(const struct route *routes, size_t n)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(addr);
	struct server *s = calloc(1, sizeof(*s));

	if (!s || n > MAX_ROUTES)
		abort();
	s->routes = routes;
	s->n = n;
	pthread_mutex_init(&s->lock, NULL);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&addr, size) != 0 ||
		listen(s->fd, 128) != 0 ||
		getsockname(s->fd, (struct sockaddr *)&addr, &size) != 0 ||
		pthread_create(&s->thread, NULL, listener, s) != 0)
		abort();
	s->port = ntohs(addr.sin_port);
	return s;
}

void server_stop(struct server *s)
{
	atomic_store(&s->stop, true);
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int server_port(const struct server *s)
{
	return s->port;
}

void server_reset(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	memset(s->hits, 0, sizeof(s->hits));
	s->most = 0;
	s->log_n = 0;
	s->log[0] = '\0';
	pthread_mutex_unlock(&s->lock);
}

unsigned server_hits(struct server *s, const char *path)
{
	unsigned hits = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->routes[i].path, path) == 0)
			hits = s->hits[i];
	pthread_mutex_unlock(&s->lock);
	return hits;
}

unsigned server_most_at_once(struct server *s)
{
	unsigned most;

	pthread_mutex_lock(&s->lock);
	most = s->most;
	pthread_mutex_unlock(&s->lock);
	return most;
}

bool server_saw(struct server *s, const char *text)
{
	bool saw;

	pthread_mutex_lock(&s->lock);
	saw = strstr(s->log, text) != NULL;
	pthread_mutex_unlock(&s->lock);
	return saw;
}
