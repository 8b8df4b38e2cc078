/*
 * listener: our own listening TCP socket that hands accepted connections to
 * libwebsockets. Its own would not set SO_REUSEPORT in Debian's build and
 * cannot be closed for a clean drain on a foreign loop. Loop thread only.
 */
#ifndef ALP_LISTENER_H
#define ALP_LISTENER_H

#include <stdbool.h>

#include <ev.h>

#include "err.h"

struct listener {
	struct ev_loop *ev;
	ev_io watcher;
	int fd;
	/* Owns the connection from here on; address is the peer's, numeric. */
	void (*accepted)(void *arg, int take_fd, const char *address);
	void *arg;
};

/*
 * address is host:port; port 0 asks the kernel for one. setting is its name, for
 * err. shared: SO_REUSEPORT, several processes share the port.
 */
bool listener_open(struct listener *l, struct ev_loop *ev, const char *setting, const char *address, bool shared,
		   void (*accepted)(void *arg, int take_fd, const char *address), void *arg, struct err *err);

void listener_close(struct listener *l); /* quiet when it is closed already */

#endif
