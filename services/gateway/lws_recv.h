/*
 * lws_recv: the bytes of a connection go through its head_filter on their way
 * into lws, which has no place of its own for that: it reads with recv(), and
 * this program's recv() is the one it finds. Loop thread only; of any other
 * thread, and of descriptors that were not named here, the calls go to the
 * kernel as they are.
 */
#ifndef ALP_LWS_RECV_H
#define ALP_LWS_RECV_H

#include <stddef.h>

struct conn;

/* Once, on the loop thread. fds: descriptors are below this number. What is kept belongs to ctx. */
void lws_recv_init(void *ctx, size_t fds);

void lws_recv_filtered(struct conn *conn);
void lws_recv_plain(struct conn *conn); /* its descriptor is about to be closed, or is */

#endif
