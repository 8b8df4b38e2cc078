#include "endpoint.h"

#include <sodium.h>

#include "daemon.h"
#include "outbound.h"
#include "reply.h"

#define OPENAI_HOST "://api.openai.com"
#define KEY_MAX 4096

static bool has_part(CURLU *u, CURLUPart part)
{
	char *value = NULL;
	bool has = curl_url_get(u, part, &value, 0) == CURLUE_OK;

	curl_free(value);
	return has;
}

static bool scheme_is_http(CURLU *u)
{
	char *scheme = NULL;
	bool is = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		  (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);

	curl_free(scheme);
	return is;
}

/* The same parser checks the address and connects to it. */
static bool check_address(const char *url, struct err *err)
{
	CURLU *u = curl_url();
	bool good;

	if (u == NULL)
		abort();
	good = curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK && scheme_is_http(u);
	if (!good)
		err_set(err, RC_INVALID, "an address like https://host/v1 was expected");
	else if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
		good = err_set(err, RC_INVALID, "a user name or password is not accepted in the address");
	else if (has_part(u, CURLUPART_QUERY) || has_part(u, CURLUPART_FRAGMENT))
		good = err_set(err, RC_INVALID, "nothing but a path may follow the host");
	curl_url_cleanup(u);
	return good;
}

/* The key becomes a header: whatever could end that header early is refused here, without showing it. */
static bool key_is_plain(const char *key)
{
	for (const char *p = key; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return strlen(key) <= KEY_MAX;
}

bool endpoint_check(const struct config *c, struct err *err)
{
	struct err why = { 0 };

	if (!check_address(c->default_openai_base_url, &why))
		return err_field(err, RC_INVALID, "DEFAULT_OPENAI_BASE_URL", "DEFAULT_OPENAI_BASE_URL: %.200s",
				 why.message);
	if (!key_is_plain(c->default_openai_api_key))
		return err_field(err, RC_INVALID, "DEFAULT_OPENAI_API_KEY",
				 "DEFAULT_OPENAI_API_KEY: blanks and characters outside ASCII are not accepted");
	if (c->default_openai_model[0] == '\0' || strlen(c->default_openai_model) > REPLY_NAME_MAX ||
	    !text_is_utf8(text_from(c->default_openai_model)))
		return err_field(err, RC_INVALID, "DEFAULT_OPENAI_MODEL",
				 "DEFAULT_OPENAI_MODEL: a model's name was expected");
	return outbound_check_list(&c->ai_allowed_hosts, err);
}

static void add_header(struct curl_slist **headers, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*headers, line);

	if (longer == NULL)
		abort();
	*headers = longer;
}

/* The server's name decides nothing here: what differs in address or key is another row of the breakers. */
static void identify(struct endpoint *e, const char *key)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof(e->id));
	crypto_generichash_update(&state, (const unsigned char *)e->url, strlen(e->url) + 1);
	crypto_generichash_update(&state, (const unsigned char *)key, strlen(key));
	crypto_generichash_final(&state, e->id, sizeof(e->id));
}

static void fill(struct endpoint *e, void *ctx, const char *base, const char *key)
{
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	e->url = talloc_asprintf(ctx, "%.*s/chat/completions", (int)len, base);
	identify(e, key);
	add_header(&e->headers, "Content-Type: application/json");
	add_header(&e->headers, "Accept: text/event-stream, application/json");
	add_header(&e->headers, "User-Agent: alp/" ALP_VERSION);
	add_header(&e->headers, "Expect:"); /* libcurl would wait for a 100-continue before a long body */
	if (key[0] != '\0') {
		char *line = talloc_asprintf(ctx, "Authorization: Bearer %s", key);

		add_header(&e->headers, line);
		sodium_memzero(line, strlen(line));
		talloc_free(line);
	}
}

void endpoint_init(struct endpoint *e, void *ctx, const struct config *c)
{
	*e = (struct endpoint){ 0 };
	e->configured = c->default_openai_api_key[0] != '\0' || strstr(c->default_openai_base_url, OPENAI_HOST) == NULL;
	fill(e, ctx, c->default_openai_base_url, c->default_openai_api_key);
}

enum ending endpoint_own(struct endpoint *e, void *ctx, const struct config *c, const char *base_url, const char *key)
{
	bool listed = true; /* the server's own address is the operator's word */

	*e = (struct endpoint){ .configured = true, .own = true };
	if (key[0] == '\0' || !key_is_plain(key))
		return ENDING_KEY_UNREADABLE;
	if (base_url[0] != '\0' && !outbound_check(base_url, &c->ai_allowed_hosts, &listed, NULL))
		return ENDING_ADDRESS_REFUSED;
	e->guarded = !listed;
	fill(e, ctx, base_url[0] != '\0' ? base_url : c->default_openai_base_url, key);
	return ENDING_NONE;
}

void endpoint_done(struct endpoint *e)
{
	for (struct curl_slist *line = e->headers; e->own && line != NULL; line = line->next)
		sodium_memzero(line->data, strlen(line->data));
	curl_slist_free_all(e->headers);
	e->headers = NULL;
}
