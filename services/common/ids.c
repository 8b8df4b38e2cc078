#include "ids.h"

#include <string.h>

#include <sodium.h>
#include <uuid/uuid.h>

#define POOL_SIZE 1024

void id_bytes(void *out, size_t n)
{
	static _Thread_local unsigned char pool[POOL_SIZE];
	static _Thread_local size_t left;

	if (n > POOL_SIZE) {
		randombytes_buf(out, n);
		return;
	}
	if (left < n) {
		randombytes_buf(pool, sizeof(pool));
		left = sizeof(pool);
	}
	left -= n;
	memcpy(out, pool + left, n);
	sodium_memzero(pool + left, n);
}

/* Not uuid_generate_random: it seeds random(3) anew each time and takes six times as long. */
struct uuid_text id_new(void)
{
	struct uuid_text out;
	unsigned char id[sizeof(uuid_t)];

	id_bytes(id, sizeof(id));
	id[6] = (unsigned char)((id[6] & 0x0F) | 0x40);
	id[8] = (unsigned char)((id[8] & 0x3F) | 0x80);
	uuid_unparse_lower(id, out.s);
	return out;
}

struct uuid_text id_named(const struct uuid_text *space, struct text name)
{
	struct uuid_text out;
	uuid_t id, ns;

	uuid_parse(space->s, ns);
	uuid_generate_sha1(id, ns, name.p, name.len);
	uuid_unparse_lower(id, out.s);
	return out;
}
