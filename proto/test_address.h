/*
 * test_address: for unit tests, an address of this host that nothing listens
 * at. Another process may take it before it is used: then the test's bind says so.
 */
#ifndef ALP_TEST_ADDRESS_H
#define ALP_TEST_ADDRESS_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEST_ADDRESS_SIZE 32

/* "127.0.0.1:port". Aborts when the host has no port left. */
static inline void test_address(char out[TEST_ADDRESS_SIZE])
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) != 0)
		abort();
	close(fd);
	snprintf(out, TEST_ADDRESS_SIZE, "127.0.0.1:%d", ntohs(in.sin_port));
}

#endif
