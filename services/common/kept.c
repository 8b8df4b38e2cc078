#include "kept.h"

#include <errno.h>

#include <arpa/inet.h>
#include <sys/socket.h>

void kept_remember(struct kept *kept, CURL *easy)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	long port = 0;

	curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port);
	if (port <= 0 || curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
		return;
	kept->rows[port % KEPT_MAX].port = port;
	kept->rows[port % KEPT_MAX].fd = fd;
}

/* The number of a closed socket may be somebody else's by now. */
static bool has_port(curl_socket_t fd, int port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { 0 };
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len) != 0)
		return false;
	return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port) == port;
}

bool kept_is_stale(const struct kept *kept, CURL *easy, int own_port)
{
	curl_socket_t fd = kept->rows[own_port % KEPT_MAX].fd;
	long connects = 1;
	char byte;

	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
	if (connects > 0 || kept->rows[own_port % KEPT_MAX].port != own_port || !has_port(fd, own_port))
		return false;
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}
