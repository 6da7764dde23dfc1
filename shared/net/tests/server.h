#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* A loopback HTTP server for tests that does what its routes say, wrong or right. One thread per
 * connection, one request per connection. */

struct request {
	char method[16], path[512];
	char head[8192];	/* request line and header */
	char body[65536];
	size_t body_n;
	unsigned hit;		/* how many requests for this route came, this one included */
};

struct server;
struct route {
	const char *path;
	void (*serve)(struct server *s, int fd, const struct request *r);
};

struct server *server_start(const struct route *routes, size_t n);
void server_stop(struct server *s);
int server_port(const struct server *s);
/* Forgets hits and the log. */
void server_reset(struct server *s);
unsigned server_hits(struct server *s, const char *path);
unsigned server_most_at_once(struct server *s);
/* Whether any request head since the last reset holds this text. */
bool server_saw(struct server *s, const char *text);

/* For routes: status line and header lines ("\r\n" between), then the body with its length. */
void reply(int fd, const char *head, const char *body, size_t n);
void reply_text(int fd, const char *head, const char *text);
void send_bytes(int fd, const char *p, size_t n);
/* Value of a header of the request, copied; empty if absent. */
void request_header(const struct request *r, const char *name, char *value, size_t size);
/* Blocks until the server stops or the client goes, at most `ms`. */
void stall(struct server *s, int fd, int ms);
/* Makes the close that follows a reset. */
void reset_on_close(int fd);
