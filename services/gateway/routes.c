#include "routes.h"

#include <stdio.h>

#include "rest.h"

static const struct route routes[] = {
#define ROUTE(METHOD, pattern, AUTH, BODY, handler) { HTTP_##METHOD, pattern, AUTH_##AUTH, BODY_##BODY, handler },
#include "routes.def"
#undef ROUTE
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

const char *http_method_name(enum http_method method)
{
	static const char *const names[HTTP_METHODS] = {
		[HTTP_GET] = "GET",       [HTTP_POST] = "POST",       [HTTP_PUT] = "PUT",   [HTTP_PATCH] = "PATCH",
		[HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS", [HTTP_HEAD] = "HEAD", [HTTP_OTHER] = "other",
	};

	return names[method];
}

const struct route *routes_all(size_t *n_out)
{
	*n_out = ROUTES;
	return routes;
}

static bool starts_with(struct text t, const char *start)
{
	size_t len = strlen(start);

	return t.len >= len && memcmp(t.p, start, len) == 0;
}

/* A path below /api or /ws never becomes the page. */
static bool is_reserved(struct text path)
{
	static const char *const roots[] = { "/api", "/ws" };

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(roots[i]);

		if (starts_with(path, roots[i]) && (path.len == len || path.p[len] == '/'))
			return true;
	}
	return false;
}

/* Segment by segment; a name in braces takes one that is not empty. */
static bool pattern_fits(const char *pattern, struct text path, struct route_param params[ROUTE_PARAMS_MAX])
{
	size_t n = 0, at = 0;

	while (*pattern != '\0') {
		if (pattern[0] == '{') {
			size_t from = at, name_len = strcspn(pattern, "}") - 1;

			while (at < path.len && path.p[at] != '/')
				at++;
			if (at == from)
				return false;
			params[n++] = (struct route_param){ text_of(pattern + 1, name_len),
							    text_of(path.p + from, at - from) };
			pattern += name_len + 2;
			continue;
		}
		if (at == path.len || path.p[at] != *pattern)
			return false;
		pattern++;
		at++;
	}
	return at == path.len;
}

static void allow_add(char allow[64], enum http_method method)
{
	size_t len = strlen(allow);

	snprintf(allow + len, 64 - len, "%s%s", len > 0 ? ", " : "", http_method_name(method));
}

/* True when the path is known, whatever its method. */
static bool match_exact(enum http_method method, struct text path, struct route_match *out)
{
	for (size_t i = 0; i < ROUTES; i++) {
		struct route_param params[ROUTE_PARAMS_MAX] = { 0 };

		if (!pattern_fits(routes[i].pattern, path, params))
			continue;
		allow_add(out->allow, routes[i].method);
		if (routes[i].method != method)
			continue;
		out->result = ROUTE_FOUND;
		out->route = &routes[i];
		memcpy(out->params, params, sizeof(params));
	}
	if (out->route == NULL && out->allow[0] != '\0')
		out->result = ROUTE_WRONG_METHOD;
	return out->allow[0] != '\0';
}

void routes_match(enum http_method method, struct text path, struct route_match *out)
{
	struct route_match shorter = { 0 };

	*out = (struct route_match){ 0 };
	if (match_exact(method, path, out))
		return;
	if (path.len > 1 && path.p[path.len - 1] == '/' && match_exact(method, text_of(path.p, path.len - 1), &shorter))
		out->result = ROUTE_SLASH;
	else
		out->result = is_reserved(path) ? ROUTE_UNKNOWN : ROUTE_STATIC;
}

const char *route_name(const struct route_match *match)
{
	switch (match->result) {
	case ROUTE_FOUND:
		return match->route->pattern;
	case ROUTE_UNKNOWN:
		return "unknown";
	case ROUTE_WRONG_METHOD:
		return "wrong-method";
	case ROUTE_SLASH:
		return "slash";
	case ROUTE_STATIC:
		return "static";
	}
	return "unknown";
}
