#include "hosts.h"

#include <strings.h>

#include <arpa/inet.h>

#include "cors.h"

#define NAME_MAX_BYTES 253

/* Without its port, brackets and last dot; empty when it is malformed. */
static struct text host_name(struct text host)
{
	const char *end;

	if (host.len > 0 && host.p[0] == '[') {
		end = memchr(host.p, ']', host.len);
		return end != NULL ? text_of(host.p + 1, (size_t)(end - host.p - 1)) : (struct text){ 0 };
	}
	end = host.len > 0 ? memchr(host.p, ':', host.len) : NULL;
	if (end != NULL)
		host.len = (size_t)(end - host.p);
	if (host.len > 1 && host.p[host.len - 1] == '.')
		host.len--;
	return host;
}

static bool ends_with(struct text name, const char *end)
{
	size_t len = strlen(end);

	return name.len > len && strncasecmp(name.p + name.len - len, end, len) == 0;
}

static bool is_name(struct text name, const char *other, size_t len)
{
	return name.len == len && strncasecmp(name.p, other, len) == 0;
}

static bool is_address(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool is_loopback(struct text name)
{
	return is_name(name, "localhost", 9) || is_name(name, "::1", 3) ||
	       (name.len > 4 && memcmp(name.p, "127.", 4) == 0 && strspn(name.p, "0123456789.") >= name.len);
}

/* learn.example.org, *.example.org, * */
static bool is_listed(const struct config_list *list, struct text name)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *item = list->items[i];

		if (strcmp(item, "*") == 0 || is_name(name, item, strlen(item)) ||
		    (strncmp(item, "*.", 2) == 0 && ends_with(name, item + 1)))
			return true;
	}
	return false;
}

static bool is_of_an_origin(const struct config_list *origins, struct text name)
{
	for (size_t i = 0; i < origins->n; i++) {
		const char *host = strstr(origins->items[i], "://");
		struct text other = host != NULL ? host_name(text_from(host + 3)) : (struct text){ 0 };

		if (other.len > 0 && is_name(name, other.p, other.len))
			return true;
	}
	return false;
}

static bool is_private(struct text name)
{
	static const char *const suffixes[] = { ".localhost", ".local", ".internal", ".home.arpa" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (ends_with(name, suffixes[i]))
			return true;
	return memchr(name.p, '.', name.len) == NULL;
}

bool hosts_allow(const struct config *config, struct text host)
{
	struct text name = host_name(host);
	char copy[NAME_MAX_BYTES + 1];

	if (name.len == 0 || name.len > NAME_MAX_BYTES || memchr(name.p, ',', name.len) != NULL)
		return false;
	memcpy(copy, name.p, name.len);
	copy[name.len] = '\0';
	name.p = copy;
	if (is_loopback(name))
		return true;
	if (config->allowed_hosts.n > 0)
		return is_listed(&config->allowed_hosts, name);
	return is_address(copy) || is_private(name) || is_of_an_origin(cors_list(config), name);
}
