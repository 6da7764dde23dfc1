#include "shared/net/target.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

static bool over(const struct target *t, struct err *err)
{
	return err_set(err, EK_OTHER, "size limit exceeded: limit is %" PRId64 " bytes", t->limit);
}

bool target_init(struct target *t, const struct http_req *req, int64_t limit, struct err *err)
{
	*t = (struct target){ .req = req, .limit = limit };
	if (req->to_fd > 0) {
		t->base = lseek(req->to_fd, 0, SEEK_CUR);
		if (t->base < 0)
			return err_sys(err, "cannot tell the offset of the output file");
	} else if (req->to_buf) {
		size_t room = req->to_buf->max - req->to_buf->n;

		t->base = (int64_t)req->to_buf->n;
		if (limit < 0 || room < (uint64_t)limit)
			t->limit = (int64_t)room;
	}
	return true;
}

static bool write_file(struct target *t, const char *p, size_t n, struct err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t w = pwrite(t->req->to_fd, p + done, n - done,
			t->base + t->got + (int64_t)done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return err_sys(err, "cannot write the output file");
		done += (size_t)w;
	}
	return true;
}

bool target_write(struct target *t, const void *p, size_t n, struct err *err)
{
	if (t->limit >= 0 && n > (uint64_t)(t->limit - t->got))
		return over(t, err);
	if (t->req->to_fd > 0) {
		if (!write_file(t, p, n, err))
			return false;
	} else if (t->req->to_buf) {
		buf_add(t->req->to_buf, p, n);
	} else if (t->req->to_sink && !t->req->to_sink(p, n, t->req->user, err)) {
		return false;
	}
	t->got += (int64_t)n;
	return true;
}

bool target_expect(const struct target *t, int64_t total, struct err *err)
{
	return t->limit < 0 || total <= t->limit || over(t, err);
}

bool target_restart(struct target *t, struct err *err)
{
	if (t->got == 0)
		return true;
	if (t->req->to_sink)
		return err_set(err, EK_NETWORK, "the body broke off and cannot be resumed");
	if (t->req->to_buf) {
		t->req->to_buf->n = (size_t)t->base;
		if (t->req->to_buf->p)
			t->req->to_buf->p[t->base] = '\0';
	}
	t->got = 0;
	return true;
}

bool target_finish(struct target *t, struct err *err)
{
	if (t->req->to_fd <= 0)
		return true;
	if (ftruncate(t->req->to_fd, t->base + t->got) != 0 ||
		lseek(t->req->to_fd, t->base + t->got, SEEK_SET) < 0)
		return err_sys(err, "cannot end the output file");
	return true;
}
