#include "bus_batch.h"

#include <endian.h>
#include <string.h>

static const char magic[4] = { 'A', 'L', 'P', 'B' };

void batch_begin(UT_string *batch, uint32_t number)
{
	uint32_t wire = htobe32(number);

	utstring_bincpy(batch, magic, sizeof(magic));
	utstring_bincpy(batch, &wire, sizeof(wire));
}

void batch_number(UT_string *batch, uint32_t number)
{
	uint32_t wire = htobe32(number);

	memcpy(utstring_body(batch) + sizeof(magic), &wire, sizeof(wire));
}

size_t batch_entry_begin(UT_string *batch, uint64_t id)
{
	uint64_t wire = htobe64(id);
	uint32_t length = 0;

	utstring_bincpy(batch, &wire, sizeof(wire));
	utstring_bincpy(batch, &length, sizeof(length));
	return utstring_len(batch);
}

void batch_entry_end(UT_string *batch, size_t start)
{
	uint32_t length = htobe32((uint32_t)(utstring_len(batch) - start));

	memcpy(utstring_body(batch) + start - sizeof(length), &length, sizeof(length));
}

bool batch_open(struct text body, uint32_t *number, struct text *rest)
{
	if (body.len < BATCH_HEAD || memcmp(body.p, magic, sizeof(magic)) != 0)
		return false;
	memcpy(number, body.p + sizeof(magic), sizeof(*number));
	*number = be32toh(*number);
	*rest = text_of(body.p + BATCH_HEAD, body.len - BATCH_HEAD);
	return true;
}

bool batch_next(struct text *rest, uint64_t *id, struct text *frame)
{
	uint32_t length;

	if (rest->len < BATCH_ENTRY_HEAD)
		return false;
	memcpy(id, rest->p, sizeof(*id));
	memcpy(&length, rest->p + sizeof(*id), sizeof(length));
	*id = be64toh(*id);
	length = be32toh(length);
	if (length > rest->len - BATCH_ENTRY_HEAD)
		return false;
	*frame = text_of(rest->p + BATCH_ENTRY_HEAD, length);
	*rest = text_of(frame->p + length, rest->len - BATCH_ENTRY_HEAD - length);
	return true;
}
