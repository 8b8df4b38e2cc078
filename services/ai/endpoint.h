/*
 * endpoint: where and how to ask the model: the server's own from the
 * configuration, once, at start; or one with a user's key, for one attempt.
 * Loop thread only; nothing blocks.
 */
#ifndef ALP_ENDPOINT_H
#define ALP_ENDPOINT_H

#include <curl/curl.h>

#include "breaker.h"
#include "config.h"
#include "ending.h"

struct endpoint {
	char *url; /* of chat completions */
	struct curl_slist *headers; /* the same for every request; holds the key */
	bool configured; /* false: no key, and the server is one that wants one */
	bool own; /* the key is a user's */
	bool guarded; /* the address is a user's: connections go to the public internet only */
	unsigned char id[BREAKER_ID]; /* of server and key */
};

/*
 * False with err, which names the setting and never shows the key: the address
 * is not http or https with a host and nothing but a path behind it, the key
 * cannot be a header, the model has no name, AI_ALLOWED_HOSTS is no list of them.
 */
bool endpoint_check(const struct config *config, struct err *err);

/* Of settings that passed endpoint_check. Strings belong to ctx. */
void endpoint_init(struct endpoint *e, void *ctx, const struct config *config);

/*
 * With a user's key, and his server when base_url is not empty. NONE, or why
 * there can be no such call; then there is nothing to be done with e.
 */
enum ending endpoint_own(struct endpoint *e, void *ctx, const struct config *config, const char *base_url,
			 const char *key);

void endpoint_done(struct endpoint *e);

#endif
