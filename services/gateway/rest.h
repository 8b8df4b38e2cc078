/* rest: the handlers of routes.def, one function per route. */
#ifndef ALP_REST_H
#define ALP_REST_H

#include "http.h"

#define ROUTE(METHOD, pattern, AUTH, BODY, handler) void handler(struct http_request *r);
#include "routes.def"
#undef ROUTE

#endif
