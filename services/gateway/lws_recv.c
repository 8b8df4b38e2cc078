#include "lws_recv.h"

#include <errno.h>
#include <sys/socket.h>

#include "conn.h"

#define AT_ONCE 65536

static _Thread_local struct conn **conns; /* by descriptor; NULL in every thread but the loop's */
static _Thread_local size_t conns_n;

void lws_recv_init(void *ctx, size_t fds)
{
	conns = talloc_zero_array(ctx, struct conn *, fds);
	conns_n = fds;
}

void lws_recv_filtered(struct conn *conn)
{
	if ((size_t)conn->fd < conns_n)
		conns[conn->fd] = conn;
}

void lws_recv_plain(struct conn *conn)
{
	if ((size_t)conn->fd < conns_n && conns[conn->fd] == conn)
		conns[conn->fd] = NULL;
}

static struct conn *filtered(int fd)
{
	struct conn *conn = conns != NULL && fd >= 0 && (size_t)fd < conns_n ? conns[fd] : NULL;

	return conn != NULL && !head_filter_is_past(&conn->filter) ? conn : NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Of a body lws may want just what is left, which can be less than a line. */
static ssize_t recv_body(struct conn *conn, char *buf, size_t room)
{
	ssize_t n = recvfrom(conn->fd, buf, least(room, head_filter_body_left(&conn->filter)), 0, NULL, NULL);

	if (n > 0)
		head_filter_body_came(&conn->filter, (size_t)n);
	return n;
}

static ssize_t recv_filtered(struct conn *conn, char *buf, size_t room)
{
	static char in[AT_ONCE];
	struct head_filter *f = &conn->filter;
	size_t taken = f->held_n + HEAD_GROWTH;
	ssize_t n;

	if (head_filter_body_left(f) > 0)
		return recv_body(conn, buf, room);
	if (!head_filter_is_deaf(f) && room <= taken) { /* lws reads heads into a buffer that is longer than any */
		errno = ECONNRESET;
		return -1;
	}
	n = recvfrom(conn->fd, in, head_filter_is_deaf(f) ? sizeof(in) : least(room - taken, sizeof(in)), 0, NULL,
		     NULL);
	if (n <= 0)
		return n;
	n = (ssize_t)head_filter_run(f, in, (size_t)n, buf);
	if (n > 0)
		return n;
	errno = EAGAIN; /* of a head that is not whole: more has to come */
	return -1;
}

/* Instead of libc's, for every library of the process. */
ssize_t recv(int fd, void *buf, size_t n, int flags)
{
	struct conn *conn = filtered(fd);

	return conn != NULL && flags == 0 ? recv_filtered(conn, buf, n) : recvfrom(fd, buf, n, flags, NULL, NULL);
}
