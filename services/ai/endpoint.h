/* endpoint: where and how to ask the model; from the configuration, once, at start. */
#ifndef ALP_ENDPOINT_H
#define ALP_ENDPOINT_H

#include <curl/curl.h>

#include "config.h"

struct endpoint {
	char *url; /* of chat completions */
	struct curl_slist *headers; /* the same for every request; holds the key */
	bool configured; /* false: no key, and the server is one that wants one */
};

/*
 * Strings belong to ctx. False with err, which names the setting and never
 * shows the key: the address is not http or https with a host and nothing but
 * a path behind it, the key cannot be a header, the model has no name.
 */
bool endpoint_init(struct endpoint *e, void *ctx, const struct config *config, struct err *err);
void endpoint_done(struct endpoint *e);

#endif
