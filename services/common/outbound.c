#include "outbound.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "address.h"

#define URL_MAX 255
#define PORT_FREE 1024

struct parts {
	char *scheme, *host, *port;
};

static void parts_done(struct parts *p)
{
	curl_free(p->scheme);
	curl_free(p->host);
	curl_free(p->port);
}

static bool has_part(CURLU *u, CURLUPart part)
{
	char *value = NULL;
	bool has = curl_url_get(u, part, &value, 0) == CURLUE_OK;

	curl_free(value);
	return has;
}

/* What parsers and people read in more than one way never comes as far as a parser. */
static bool is_plain(const char *url)
{
	for (const char *p = url; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || strchr("\\\"<>^`{}|%", *p) != NULL)
			return false;
	return true;
}

static bool take_apart(CURLU *u, const char *url, struct parts *out, struct err *err)
{
	if (strlen(url) > URL_MAX || !is_plain(url) ||
	    curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &out->scheme, 0) != CURLUE_OK ||
	    (strcmp(out->scheme, "http") != 0 && strcmp(out->scheme, "https") != 0) ||
	    curl_url_get(u, CURLUPART_HOST, &out->host, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_PORT, &out->port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return err_set(err, RC_INVALID, "an address like https://host/v1 was expected");
	if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD) || strchr(url, '@') != NULL)
		return err_set(err, RC_INVALID, "a user name or password is not accepted in the address");
	if (has_part(u, CURLUPART_QUERY) || has_part(u, CURLUPART_FRAGMENT) || strpbrk(url, "?#") != NULL)
		return err_set(err, RC_INVALID, "nothing but a path may follow the host");
	return true;
}

static bool is_listed(const struct config_list *allowed, const struct parts *p)
{
	size_t host = strlen(p->host);

	for (size_t i = 0; i < allowed->n; i++)
		if (strncasecmp(allowed->items[i], p->host, host) == 0 && allowed->items[i][host] == ':' &&
		    strcmp(allowed->items[i] + host + 1, p->port) == 0)
			return true;
	return false;
}

static bool ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && strncasecmp(s + len - n, end, n) == 0;
}

/* Told early what the connected address would tell too; [::1] comes with its brackets. */
static bool host_is_inside(const char *host)
{
	char bare[URL_MAX + 1] = "";
	size_t len = strlen(host);
	bool numeric, is_public;

	while (len > 0 && host[len - 1] == '.')
		len--;
	if (host[0] == '[')
		memcpy(bare, host + 1, len >= 2 ? len - 2 : 0);
	else
		memcpy(bare, host, len);
	is_public = address_text_is_public(bare, &numeric);
	if (numeric || host[0] == '[')
		return !is_public;
	return strcasecmp(bare, "localhost") == 0 || ends_with(bare, len, ".localhost") ||
	       ends_with(bare, len, ".local") || ends_with(bare, len, ".internal") || strchr(bare, '.') == NULL;
}

static bool check(const struct parts *p, struct err *err)
{
	long port = strtol(p->port, NULL, 10);

	if (strcmp(p->scheme, "https") != 0)
		return err_set(err, RC_INVALID, "https was expected");
	if (port != 443 && port < PORT_FREE)
		return err_set(err, RC_INVALID, "port 443 or one from 1024 on was expected");
	if (host_is_inside(p->host))
		return err_set(err, RC_INVALID, "an address of the public internet was expected");
	return true;
}

bool outbound_check(const char *url, const struct config_list *allowed, bool *listed_out, struct err *err)
{
	struct parts parts = { 0 };
	CURLU *u = curl_url();
	bool good;

	if (u == NULL)
		abort();
	good = take_apart(u, url, &parts, err) && parts.host != NULL && parts.port != NULL;
	if (good) {
		*listed_out = is_listed(allowed, &parts);
		good = *listed_out || check(&parts, err);
	}
	parts_done(&parts);
	curl_url_cleanup(u);
	return good;
}

bool outbound_check_list(const struct config_list *allowed, struct err *err)
{
	for (size_t i = 0; i < allowed->n; i++) {
		const char *colon = strrchr(allowed->items[i], ':');
		char *end = NULL;
		long port = colon != NULL ? strtol(colon + 1, &end, 10) : 0;

		if (colon == NULL || colon == allowed->items[i] || strchr(allowed->items[i], '/') != NULL ||
		    *end != '\0' || port < 1 || port > 65535)
			return err_field(err, RC_INVALID, "AI_ALLOWED_HOSTS",
					 "AI_ALLOWED_HOSTS: host:port was expected, not %.100s", allowed->items[i]);
	}
	return true;
}
