/*
 * routes: which handler serves a method and a path (routes.def), and what the
 * caller must be for it. Pure, apart from the handlers themselves.
 */
#ifndef ALP_ROUTES_H
#define ALP_ROUTES_H

#include <stdbool.h>

#include "text.h"

struct http_request;

enum http_method {
	HTTP_GET,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_HEAD,
	HTTP_OTHER,
	HTTP_METHODS
};

const char *http_method_name(enum http_method method);

enum route_auth {
	AUTH_NONE, /* a token is not looked at */
	AUTH_OPTIONAL, /* missing or of another scheme: nobody; wrong or expired: 401 */
	AUTH_REQUIRED /* missing or of another scheme: 403; wrong or expired: 401 */
};

enum route_body {
	BODY_NONE, /* what comes is read and ignored */
	BODY_MAYBE, /* an object may come */
	BODY_JSON /* an object must come */
};

typedef void route_fn(struct http_request *r);

struct route {
	enum http_method method;
	const char *pattern; /* a name in braces stands for one segment */
	enum route_auth auth;
	enum route_body body;
	route_fn *handler;
};

#define ROUTE_PARAMS_MAX 2
#define ROUTE_ID_MAX 200 /* characters of an id in a path, as in queries and bodies */

/* One segment of a path that the pattern leaves open. */
struct route_param {
	struct text name; /* as the pattern and docs/openapi.yaml call it; borrowed from the pattern */
	struct text value; /* borrowed from the path */
};

enum route_result {
	ROUTE_UNKNOWN, /* no such path below /api; also a request not looked at yet */
	ROUTE_FOUND,
	ROUTE_WRONG_METHOD, /* allow tells which there are */
	ROUTE_SLASH, /* known without its trailing slash */
	ROUTE_STATIC /* not ours: a file, or the page */
};

struct route_match {
	enum route_result result;
	const struct route *route;
	struct route_param params[ROUTE_PARAMS_MAX]; /* those that the pattern has not are empty */
	char allow[64]; /* "GET, POST" */
};

void routes_match(enum http_method method, struct text path, struct route_match *out);

/* The pattern for logs and metrics; "static" and the like when there is none. Never what a client wrote. */
const char *route_name(const struct route_match *match);

/* All of them, for tests that try each one. */
const struct route *routes_all(size_t *n_out);

#endif
