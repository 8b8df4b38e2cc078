/*
 * kept: which kept connections can still be used. libcurl does not let us see
 * the connection a request is about to take; its own port tells which one it
 * is, and the socket was noted when its last answer ended. Loop thread only.
 */
#ifndef ALP_KEPT_H
#define ALP_KEPT_H

#include <stdbool.h>

#include <curl/curl.h>

#define KEPT_MAX 1024

/* By port; a newer connection takes the place of an older one. Zeroed: empty. */
struct kept {
	struct {
		long port;
		curl_socket_t fd;
	} rows[KEPT_MAX];
};

/* A transfer has ended; not yet removed from its multi handle. */
void kept_remember(struct kept *kept, CURL *easy);

/*
 * The request is about to go out from own_port. True when its connection was
 * kept and something is waiting on it before we have asked: the server has
 * closed it, or has sent more than its last answer, which would be taken for
 * the next one. libcurl 7.88 would use it; newer ones do not.
 */
bool kept_is_stale(const struct kept *kept, CURL *easy, int own_port);

#endif
