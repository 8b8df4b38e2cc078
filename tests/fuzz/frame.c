/*
 * frame_decode behind the MAC: a line of JSON, then blobs; the rest of the
 * frame is made here. An input that begins with a zero byte is everything
 * behind the MAC as it is. What can be read is written again and read again.
 */
#include <arpa/inet.h>
#include <sodium.h>

#include "frame.h"
#include "target.h"

static unsigned char key[BUS_KEY_BYTES];

static void seal(UT_string *out, struct text body)
{
	unsigned char mac[MAC_BYTES];

	mac_write(mac, key, body);
	utstring_bincpy(out, mac, sizeof(mac));
	utstring_bincpy(out, body.p, body.len);
}

static void make(UT_string *out, const uint8_t *data, size_t size)
{
	const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t json = newline != NULL ? (size_t)(newline - data) : size;
	size_t blob = newline != NULL ? size - json - 1 : 0;
	uint32_t len = htonl((uint32_t)json);
	CLEANUP(string_done) UT_string body;

	utstring_init(&body);
	if (size > 0 && data[0] == 0) {
		utstring_bincpy(&body, data + 1, size - 1);
	} else {
		utstring_bincpy(&body, &len, sizeof(len));
		utstring_bincpy(&body, data, json);
		if (blob > 0)
			utstring_bincpy(&body, newline + 1, blob);
	}
	seal(out, json_written(&body));
}

static void round_trip(const struct frame *frame)
{
	CLEANUP(string_done) UT_string again;
	struct envelope env;
	struct err err = { 0 };
	struct frame *second;

	utstring_init(&again);
	frame_encode(&again, key, &frame->env, frame->body);
	second = frame_decode(NULL, key, json_written(&again), &env, &err);
	HOLDS(second != NULL && second->env.msg == frame->env.msg && second->env.is_answer == frame->env.is_answer);
	talloc_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(string_done) UT_string bytes;
	struct envelope env = { 0 };
	struct err err = { 0 };
	struct frame *frame;

	if (sodium_init() < 0)
		abort();
	frame_key(text_from("the key of the fuzzer"), key);
	utstring_init(&bytes);
	make(&bytes, data, size);
	frame = frame_decode(NULL, key, json_written(&bytes), &env, &err);
	if (frame != NULL)
		round_trip(frame);
	else
		HOLDS(err.rc != RC_OK);
	talloc_free(frame);
	return 0;
}
