/*
 * Two task threads for nng, whatever the number of cores: the fewest with which
 * it cannot lock itself up. By default it starts two for each core, and each of
 * the several steps of a message wakes another one of them: a wake-up through
 * the kernel, and then they wait for each other's locks. Our callbacks only put
 * messages into a mailbox, so they need no more.
 *
 * From 1.7 on the number is a parameter. Older ones ask sysconf() for the
 * number of cores, once, when the library starts; then they are told one.
 */
#include "bus_impl.h"

#if NNG_MAJOR_VERSION > 1 || NNG_MINOR_VERSION >= 7

void bus_threads_start(void)
{
	nng_init_set_parameter(NNG_INIT_NUM_TASK_THREADS, 2);
}

#else

#include <stdlib.h>
#include <unistd.h>

static bool nng_starts;

long __sysconf(int name); /* glibc's own, which sysconf() is another name of */

/* Instead of libc's, for every library of the process. The sanitizers call it before they are ready to watch it. */
__attribute__((no_sanitize("address", "thread", "undefined"))) long sysconf(int name)
{
	return name == _SC_NPROCESSORS_ONLN && nng_starts ? 1 : __sysconf(name);
}

void bus_threads_start(void)
{
	nng_aio *aio = NULL;

	nng_starts = true;
	if (nng_aio_alloc(&aio, NULL, NULL) != 0)
		abort();
	nng_starts = false;
	nng_aio_free(aio);
}

#endif
