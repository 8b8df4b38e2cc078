#include "cors.h"

#include <strings.h>

#include "http.h"

const struct config_list *cors_list(const struct config *config)
{
	if (config->cors_origins.n > 0)
		return &config->cors_origins;
	return config->cors_origins_json.n > 0 ? &config->cors_origins_json : &config->allowed_origins;
}

bool cors_allows(const struct config *config, struct text origin)
{
	const struct config_list *list = cors_list(config);

	if (origin.len == 0)
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (text_is(origin, list->items[i]) && strcmp(list->items[i], "*") != 0)
			return true;
	return false;
}

bool cors_is_same(struct text origin, struct text host)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(schemes[i]);

		if (origin.len == len + host.len && host.len > 0 && memcmp(origin.p, schemes[i], len) == 0 &&
		    strncasecmp(origin.p + len, host.p, host.len) == 0)
			return true;
	}
	return false;
}

bool cors_preflight(struct http_request *r)
{
	struct text headers;

	if (r->origin.len == 0 || http_request_custom(r, HEADER_REQUEST_METHOD, 32).len == 0)
		return false;
	if (!r->origin_allowed) {
		http_answer(r, 400, "text/plain; charset=utf-8", text_from("Disallowed CORS origin"));
		return true;
	}
	headers = http_request_header(r, WSI_TOKEN_HTTP_AC_REQUEST_HEADERS, 1024);
	http_header(r, "access-control-allow-methods", "GET, POST, PUT, DELETE, OPTIONS, PATCH");
	http_header(r, "access-control-max-age", "600");
	if (headers.len > 0)
		http_header(r, "access-control-allow-headers", TEXT_FMT, TEXT_ARG(headers));
	http_answer(r, 200, "text/plain; charset=utf-8", text_from("OK"));
	return true;
}

void cors_headers(struct http_request *r)
{
	if (r->origin.len == 0)
		return;
	http_header(r, "vary", "Origin");
	if (!r->origin_allowed)
		return;
	http_header(r, "access-control-allow-origin", TEXT_FMT, TEXT_ARG(r->origin));
	http_header(r, "access-control-allow-credentials", "true");
}
