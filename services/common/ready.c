#include "ready.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/time.h>

#define WAIT_S 3
#define ANSWER_MAX 4096
#define HOST_MAX_BYTES 256

/* A connected socket with its waits bounded, or -1 with errno. */
static int ready_connect(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	struct timeval wait = { .tv_sec = WAIT_S };
	int fd = -1;

	if (getaddrinfo(host, port, &hints, &found) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)); /* connect waits no longer either */
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

/* Everything until the daemon closes, up to the buffer's size; false with errno. */
static bool ready_exchange(int fd, char answer[static ANSWER_MAX])
{
	static const char request[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	size_t len = 0;
	ssize_t n = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);

	if (n != (ssize_t)sizeof(request) - 1)
		return false;
	do {
		n = recv(fd, answer + len, ANSWER_MAX - 1 - len, 0);
		if (n < 0)
			return false;
		len += (size_t)n;
	} while (n > 0 && len < ANSWER_MAX - 1);
	answer[len] = '\0';
	return true;
}

bool ready_ask(const char *address, FILE *out)
{
	const char *colon = strrchr(address, ':'), *body;
	char host[HOST_MAX_BYTES], answer[ANSWER_MAX] = "";
	bool said;
	int fd;

	if (colon == NULL || (size_t)(colon - address) >= sizeof(host)) {
		fprintf(out, "%s: host:port was expected\n", address);
		return false;
	}
	memcpy(host, address, (size_t)(colon - address));
	host[colon - address] = '\0';
	fd = ready_connect(strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : host, colon + 1);
	said = fd >= 0 && ready_exchange(fd, answer);
	if (!said)
		fprintf(out, "%s: %s\n", address, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!said || strncmp(answer, "HTTP/1.1 200 ", 13) == 0)
		return said;
	body = strstr(answer, "\r\n\r\n");
	fprintf(out, "%s: %s\n", address, body != NULL ? body + 4 : "no answer of HTTP");
	return false;
}
