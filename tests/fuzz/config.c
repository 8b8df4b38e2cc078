/* A .env file of any content: loaded, or refused with a reason that shows no secret. */
#include <stdio.h>
#include <unistd.h>

#include <sys/mman.h>

#include "config.h"
#include "target.h"

#define CANARY "canary-4711"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config;
	struct err err = { 0 };
	char path[64];
	void *ctx;
	int fd;

	if (size > 0 && memmem(data, size, CANARY, strlen(CANARY)) != NULL)
		return 0; /* a name of its own making is no secret */
	ctx = talloc_new(NULL);
	fd = memfd_create("env", MFD_CLOEXEC);
	clearenv();
	HOLDS(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	HOLDS(dprintf(fd, "\nBUS_KEY=" CANARY "\n") > 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!config_load(ctx, &config, SERVICE_STORE, path, &err))
		HOLDS(err.message[0] != '\0' && strstr(err.message, CANARY) == NULL);
	close(fd);
	talloc_free(ctx);
	return 0;
}
