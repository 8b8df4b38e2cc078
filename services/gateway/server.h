/*
 * server: libwebsockets as a guest on the daemon's loop, with our own
 * listening socket, so that several gateways share a port and a drain can
 * close it. Every callback of lws arrives here and is handed to http or
 * ws_conn. Loop thread only.
 */
#ifndef ALP_SERVER_H
#define ALP_SERVER_H

#include "conn.h"

struct server;

/* Listens at GATEWAY_LISTEN. NULL with err when it cannot. */
struct server *server_new(struct gateway *gw, struct err *err);
void server_free(struct server *server);

/* Takes no new connection, ends idle ones, tells WebSockets to come back (1012). */
void server_drain(struct server *server);

/* While draining: no request is in work and every WebSocket is gone. */
bool server_is_idle(const struct server *server);

const struct conns *server_conns(const struct server *server);

#endif
