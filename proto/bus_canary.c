/*
 * The canary: nng 1.5.2's dialers may wait for ever for a reaper that hangs.
 * The sign is a dialled socket without links for CANARY_S while a plain
 * connect() to its address succeeds. Then only a new process helps.
 */
#include "bus_impl.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/socket.h>

#define CANARY_S 5.0

static void probe_end(struct sock *sock)
{
	ev_io_stop(sock->bus->config.ev, &sock->canary.probe);
	if (sock->canary.fd >= 0)
		close(sock->canary.fd);
	sock->canary.fd = -1;
}

static void canary_on_probe(struct ev_loop *ev, ev_io *w, int events)
{
	struct sock *sock = w->data;
	struct bus_watch *watch = &sock->bus->config.watch;
	int error = -1;
	socklen_t len = sizeof(error);

	(void)ev, (void)events;
	getsockopt(sock->canary.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	probe_end(sock);
	if (error != 0 || atomic_load(&sock->pipes) > 0)
		return;
	if (watch->restart != NULL)
		watch->restart(watch->arg, sock->name);
	_exit(BUS_EXIT_RESTART);
}

/* The numeric address inside the URL; names are left to the supervisor's health check. */
static bool probe_address(const char *url, struct addrinfo **out)
{
	const char *host = strstr(url, "://");
	char buf[128], *colon;
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };

	if (host == NULL || strlen(host + 3) >= sizeof(buf))
		return false;
	memcpy(buf, host + 3, strlen(host + 3) + 1);
	buf[strcspn(buf, "/")] = '\0';
	colon = strrchr(buf, ':');
	if (colon == NULL)
		return false;
	*colon = '\0';
	return getaddrinfo(buf, colon + 1, &hints, out) == 0;
}

static void canary_on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
	struct sock *sock = w->data;
	struct addrinfo *address = NULL;
	int fd;

	(void)events;
	probe_end(sock);
	if (atomic_load(&sock->pipes) > 0) {
		ev_timer_stop(ev, w);
		return;
	}
	if (!probe_address(sock->url, &address))
		return;
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS)) {
		sock->canary.fd = fd;
		ev_io_set(&sock->canary.probe, fd, EV_WRITE);
		ev_io_start(ev, &sock->canary.probe);
	} else if (fd >= 0) {
		close(fd);
	}
	freeaddrinfo(address);
}

void canary_link(struct sock *sock)
{
	if (!sock->dials || NNG_RECONNECTS)
		return;
	if (!ev_is_active(&sock->canary.timer) && atomic_load(&sock->pipes) == 0) {
		ev_init(&sock->canary.probe, canary_on_probe);
		sock->canary.probe.data = sock;
		ev_timer_init(&sock->canary.timer, canary_on_timer, CANARY_S, CANARY_S);
		sock->canary.timer.data = sock;
		ev_timer_start(sock->bus->config.ev, &sock->canary.timer);
	} else if (ev_is_active(&sock->canary.timer) && atomic_load(&sock->pipes) > 0) {
		canary_stop(sock);
	}
}

void canary_stop(struct sock *sock)
{
	if (ev_is_active(&sock->canary.timer))
		ev_timer_stop(sock->bus->config.ev, &sock->canary.timer);
	if (sock->canary.fd >= 0)
		probe_end(sock);
}
