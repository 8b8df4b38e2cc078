/*
 * Preloaded into a daemon (LD_PRELOAD): what names turn out to be is the
 * test's word. ALP_TEST_NAMES is name=address,name=address; other names are
 * looked up as ever.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_MAX 64

typedef int lookup_fn(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out);

/* False: it is not one of the test's. */
static int address_of(const char *name, char out[ADDRESS_MAX])
{
	const char *list = getenv("ALP_TEST_NAMES");
	size_t len = name != NULL ? strlen(name) : 0;

	for (const char *item = list; item != NULL && len > 0; item = strchr(item, ',')) {
		size_t n;

		item += *item == ',';
		if (strncmp(item, name, len) != 0 || item[len] != '=')
			continue;
		item += len + 1;
		n = strcspn(item, ",");
		if (n >= ADDRESS_MAX)
			return 0;
		memcpy(out, item, n);
		out[n] = '\0';
		return 1;
	}
	return 0;
}

__attribute__((visibility("default"))) int getaddrinfo(const char *restrict name, const char *restrict service,
						       const struct addrinfo *restrict hints,
						       struct addrinfo **restrict out)
{
	char address[ADDRESS_MAX];
	lookup_fn *next = NULL;

	*(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
	return next(address_of(name, address) ? address : name, service, hints, out);
}
