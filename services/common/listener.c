#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "text.h"

#define ACCEPT_AT_ONCE 64 /* then the loop's other work gets its turn */

static void listener_on_readable(struct ev_loop *ev, ev_io *w, int events)
{
	struct listener *l = w->data;

	(void)ev, (void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		char host[NI_MAXHOST];
		int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		if (getnameinfo((struct sockaddr *)&peer, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
			host[0] = '\0';
		l->accepted(l->arg, fd, host);
	}
}

static int open_one(const struct addrinfo *a, bool shared)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){ 1 }, sizeof(int));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1024) == 0)
		return fd;
	close(fd);
	return -1;
}

bool listener_open(struct listener *l, struct ev_loop *ev, const char *setting, const char *address, bool shared,
		   void (*accepted)(void *arg, int take_fd, const char *address), void *arg, struct err *err)
{
	const char *colon = strrchr(address, ':');
	char host[256];
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int rv;

	*l = (struct listener){ .ev = ev, .fd = -1, .accepted = accepted, .arg = arg };
	if (colon == NULL || (size_t)(colon - address) >= sizeof(host))
		return err_field(err, RC_INVALID, setting, "%s: host:port was expected", setting);
	memcpy(host, address, (size_t)(colon - address));
	host[colon - address] = '\0';
	rv = getaddrinfo(host, colon + 1, &hints, &found);
	if (rv != 0)
		return err_field(err, RC_INVALID, setting, "%s: %s: %s", setting, address, gai_strerror(rv));
	l->fd = open_one(found, shared);
	freeaddrinfo(found);
	if (l->fd < 0)
		return err_field(err, RC_UNAVAILABLE, setting, "%s: cannot listen at %s: %s", setting, address,
				 strerror(errno));
	ev_io_init(&l->watcher, listener_on_readable, l->fd, EV_READ);
	l->watcher.data = l;
	ev_io_start(ev, &l->watcher);
	return true;
}

void listener_close(struct listener *l)
{
	if (l->ev == NULL || l->fd < 0)
		return;
	ev_io_stop(l->ev, &l->watcher);
	close(l->fd);
	l->fd = -1;
}
