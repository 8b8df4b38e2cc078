/*
 * conn: one accepted TCP connection, from accept to close, whatever it becomes:
 * HTTP requests one after another, or a WebSocket. It owns the timer that
 * bounds each phase of its life (libwebsockets' own timers come late on a
 * foreign libev loop). Loop thread only.
 */
#ifndef ALP_CONN_H
#define ALP_CONN_H

#include <libwebsockets.h>
#include <uthash.h>

#include "gateway.h"
#include "head_filter.h"

struct http_request;
struct ws_conn;

/* PHASE, longest stay in milliseconds (0: bounded elsewhere), what ends it. */
#define CONN_PHASES(X) \
	X(HEADERS, 10000) /* the first request's head is awaited: 408 */ \
	X(BODY, 10000) /* a request's body is awaited: 408 */ \
	X(WORK, 0) /* the answer is being made: the bus has deadlines */ \
	X(SENDING, 0) /* the answer waits for its reader, who takes nothing for HTTP_STALL_MS: closed */ \
	X(IDLE, 60000) /* answered; the next head is awaited: closed */ \
	X(LINGER, 2000) /* refused before its body came: read and forget */ \
	X(SOCKET, 10000) /* a WebSocket: ticks */

enum conn_phase {
#define X(phase, ms) CONN_##phase,
	CONN_PHASES(X)
#undef X
};

struct conn_address {
	char name[64]; /* numeric */
	int open;
	UT_hash_handle hh;
};

struct conn {
	struct gateway *gw;
	struct lws *wsi; /* NULL until lws has it */
	struct conn_address *address;
	enum conn_phase phase;
	int fd;
	struct head_filter filter; /* of what lws reads (lws_recv.h) */
	uint64_t heads; /* that lws has told of */
	ev_timer timer;
	ev_io writer; /* an answer that waits for its reader, or for its turn in the loop */
	struct http_request *request; /* NULL between requests */
	struct ws_conn *ws; /* from the accepted upgrade on */
	struct conn *prev, *next;
};

struct conns {
	struct conn *all;
	struct conn_address *addresses;
	int64_t open_n;
	uint64_t refused_n; /* over a limit */
};

/* NULL when the address or the whole has too many. */
struct conn *conn_new(struct gateway *gw, struct conns *conns, int fd, const char *address);

/* Frees what hangs on it as well. lws must be done with it. */
void conn_free(struct conns *conns, struct conn *conn);

/* Enters a phase and arms its timer. */
void conn_enter(struct conn *conn, enum conn_phase phase);

/*
 * Ends the connection now, whether the peer reads or not. conn is freed before
 * it returns. Never from inside one of lws's callbacks.
 */
void conn_kill(struct conn *conn);

#endif
