/*
 * curl_loop: libcurl's transfers on our loop. Its sockets and its timer are
 * watchers; no curl function is called from inside one of its callbacks, and
 * finished transfers are collected after each step. Connections are kept and
 * reused. Loop thread only; nothing blocks (names are looked up on a thread of
 * libcurl's own).
 */
#ifndef ALP_CURL_LOOP_H
#define ALP_CURL_LOOP_H

#include <curl/curl.h>

#include "loop.h"
#include "text.h"

struct curl_loop;
struct transfer;

/*
 * How a transfer speaks to its owner. body and send run inside libcurl: they
 * must not touch any transfer. send may come again: when a kept connection
 * turns out dead, libcurl would send the request once more on a new one.
 */
struct transfer_events {
	bool (*send)(void *arg); /* connected; false: do not send the request */
	bool (*body)(void *arg, struct text bytes); /* false: end the transfer */
	void (*end)(void *arg, CURLcode code); /* the getters work until it returns, then the transfer is gone */
};

/* All of it must outlive the transfer. */
struct transfer_request {
	const char *url;
	const struct curl_slist *headers;
	struct text body;
	bool guarded; /* only to addresses of the public internet, whatever the name turns out to be */
};

/* max: connections kept open. Owned by ctx, ended by curl_loop_free. */
struct curl_loop *curl_loop_new(void *ctx, struct loop *loop, long max);
void curl_loop_free(struct curl_loop *c); /* no transfer may be running */

/* Posts a request. No callback runs before it returns. */
struct transfer *transfer_post(struct curl_loop *c, const struct transfer_request *request,
			       const struct transfer_events *events, void *arg);

/* Ends it without a word to its owner; its connection is closed. Not from inside body or send. */
void transfer_abort(struct transfer *t);

/* guarded: a connection was not made, or not used, because of its address. */
bool transfer_was_refused(const struct transfer *t);

long transfer_status(const struct transfer *t); /* 0: no answer yet */
const char *transfer_type(const struct transfer *t); /* content type; NULL: none */
const char *transfer_header(const struct transfer *t, const char *name); /* NULL: none */

#endif
