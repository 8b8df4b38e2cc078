/*
 * alp-narrow PORT BYTES: a reader that stops, over a connection that holds little.
 *
 * It connects to 127.0.0.1:PORT with the smallest buffers the kernel grants, so
 * that what it does not read stays with the server almost at once (an ordinary
 * connection takes megabytes first). Standard input is sent; what comes is
 * written to standard output. After BYTES bytes it stops itself (SIGSTOP);
 * SIGCONT makes it read on, to the end. It leaves when the connection ends.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define RECEIVE_BUFFER 4096
#define SEGMENT 536 /* the server's buffer is made for some tens of these */

static int dial(const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons((unsigned short)strtoul(port, NULL, 10)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ RECEIVE_BUFFER }, sizeof(int)) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &(int){ SEGMENT }, sizeof(int)) != 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("alp-narrow");
		exit(1);
	}
	return fd;
}

/* False: the end. */
static bool pass(int from, int to, size_t at_most, size_t *passed)
{
	char buffer[1024];
	ssize_t n = read(from, buffer, at_most < sizeof(buffer) ? at_most : sizeof(buffer));

	if (n <= 0)
		return false;
	*passed += (size_t)n;
	for (ssize_t at = 0, written; at < n; at += written) {
		written = write(to, buffer + at, (size_t)(n - at));
		if (written <= 0)
			exit(1);
	}
	return true;
}

int main(int argc, char **argv)
{
	int fd = argc == 3 ? dial(argv[1]) : -1;
	size_t limit = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, got = 0, sent = 0;
	struct pollfd waits[2] = { { .fd = fd, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

	if (argc != 3) {
		fprintf(stderr, "usage: alp-narrow PORT BYTES\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	while (poll(waits, 2, -1) > 0) {
		if (waits[1].revents != 0 && !pass(STDIN_FILENO, fd, SIZE_MAX, &sent))
			waits[1].fd = -1; /* all is said; the answer still comes */
		if (waits[0].revents == 0)
			continue;
		if (!pass(fd, STDOUT_FILENO, got < limit ? limit - got : SIZE_MAX, &got))
			return 0;
		if (got == limit)
			raise(SIGSTOP);
	}
	return 1;
}
