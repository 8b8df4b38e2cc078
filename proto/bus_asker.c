#include "bus_asker.h"

#include "bus_batch.h"

#define WINDOW 48 /* messages that an asker has not taken yet */
#define SINGLES_MAX 32 /* in SINGLES_US: whoever gets them tells nothing, and nng needs a moment for each */
#define SINGLES_US 10000
#define FULL_PARTS 4 /* of the largest message, as bytes that wait for one asker before it is served no more */
#define SP_ANSWER 0x80000001U /* the end of SP's header; which request is answered stands in the batch */

/* Answers that travel together; or a single one. */
struct batch {
	UT_string bytes;
	uint32_t single; /* SP's header for it. 0: a batch */
	int awaited; /* answers that a leaving process stays for */
	size_t entry; /* where the last one begins */
	struct batch *prev, *next;
};

struct asker {
	struct askers *askers;
	uint32_t pipe;
	struct outbox box;
	struct batch *batches; /* that wait, oldest first */
	size_t bytes; /* in them */
	bool greeted, greet; /* it was told that we know batches; it is to be */
	int singles; /* sent since singles_us */
	int64_t singles_us;
	uint32_t sent, taken; /* numbers: of our last message, and of the last one that it told us it has */
	UT_hash_handle hh;
};

static void batch_free(struct asker *asker, struct batch *batch)
{
	asker->askers->bus->answers_waiting -= batch->awaited;
	asker->bytes -= utstring_len(&batch->bytes);
	DL_DELETE(asker->batches, batch);
	utstring_done(&batch->bytes);
	talloc_free(batch);
}

static struct batch *batch_new(struct asker *asker, uint32_t single)
{
	struct batch *batch = talloc_zero(asker, struct batch);

	batch->single = single;
	utstring_init(&batch->bytes);
	DL_APPEND(asker->batches, batch); /* NOLINT(clang-analyzer-core.NullDereference): a list's first has a prev */
	return batch;
}

/* The one that the next answer goes into: a message larger than the receiver allows would end the connection. */
static struct batch *batch_of(struct asker *asker)
{
	struct batch *batch = asker->batches != NULL ? asker->batches->prev : NULL;

	if (batch != NULL && batch->single == 0 && utstring_len(&batch->bytes) < BATCH_FULL)
		return batch;
	batch = batch_new(asker, 0);
	batch_begin(&batch->bytes, 0);
	asker->bytes += utstring_len(&batch->bytes);
	return batch;
}

/* False: nng's queue is full. */
static bool asker_send(const struct asker *asker, uint32_t sp, const UT_string *bytes)
{
	nng_msg *msg = bus_message(bytes);

	nng_msg_header_append_u32(msg, asker->pipe);
	nng_msg_header_append_u32(msg, sp);
	if (nng_sendmsg(asker->askers->nng, msg, NNG_FLAG_NONBLOCK) == 0)
		return true;
	nng_msg_free(msg);
	return false;
}

static bool asker_send_first(struct asker *asker)
{
	struct batch *batch = asker->batches;

	if (batch->single == 0)
		batch_number(&batch->bytes, asker->sent + 1);
	if (!asker_send(asker, batch->single != 0 ? batch->single : SP_ANSWER, &batch->bytes))
		return false;
	asker->sent += batch->single == 0;
	if (batch->awaited > 0)
		asker->askers->bus->answered_us = bus_now_us();
	batch_free(asker, batch);
	return true;
}

/* Whoever knows no batches takes an empty one for an answer that nobody waits for any more. */
static bool asker_send_greeting(struct asker *asker)
{
	CLEANUP(string_done) UT_string batch = { 0 };

	utstring_init(&batch);
	batch_begin(&batch, 0);
	asker->greet = !asker_send(asker, SP_ANSWER, &batch);
	return !asker->greet;
}

static bool asker_may_send_single(struct asker *asker)
{
	int64_t now = bus_now_us();

	if (now - asker->singles_us > SINGLES_US) {
		asker->singles_us = now;
		asker->singles = 0;
	}
	return asker->singles++ < SINGLES_MAX;
}

/* With a full window it ends, and asker_told comes back to it. */
static bool asker_send_waiting(struct asker *asker)
{
	if (asker->greet && !asker_send_greeting(asker))
		return false;
	while (asker->batches != NULL && asker->sent - asker->taken < WINDOW) {
		if ((asker->batches->single != 0 && !asker_may_send_single(asker)) || !asker_send_first(asker))
			return false;
	}
	return true;
}

static bool asker_on_send(struct outbox *box)
{
	struct asker *asker = BUS_OWNER(box, struct asker, box);
	bool was_full = asker_is_full(asker), done = asker_send_waiting(asker);

	if (was_full && !asker_is_full(asker))
		asker->askers->on_room(asker->askers);
	return done;
}

void asker_greet(struct asker *asker)
{
	if (asker->greeted)
		return;
	asker->greeted = asker->greet = true;
	outbox_add(asker->askers->bus, &asker->box);
}

bool asker_is_full(const struct asker *asker)
{
	return asker->bytes >= FULL_PARTS * asker->askers->bus->config.message_max;
}

UT_string *asker_answer(struct asker *asker, uint64_t number, uint32_t single)
{
	struct batch *batch = single != 0 ? batch_new(asker, single) : batch_of(asker);

	asker->bytes -= utstring_len(&batch->bytes);
	if (single == 0)
		batch->entry = batch_entry_begin(&batch->bytes, number);
	return &batch->bytes;
}

void asker_answer_end(struct asker *asker, bool awaited)
{
	struct batch *batch = asker->batches->prev;

	if (batch->single == 0)
		batch_entry_end(&batch->bytes, batch->entry);
	asker->bytes += utstring_len(&batch->bytes);
	batch->awaited += awaited;
	asker->askers->bus->answers_waiting += awaited;
	outbox_add(asker->askers->bus, &asker->box);
}

void asker_told(struct asker *asker, uint32_t taken)
{
	if ((int32_t)(asker->sent - taken) < 0 || (int32_t)(taken - asker->taken) <= 0)
		return;
	asker->taken = taken;
	if (asker->batches != NULL)
		outbox_add(asker->askers->bus, &asker->box);
}

/* ---- their connections -------------------------------------------------------- */

static struct asker *asker_find(const struct askers *askers, uint32_t pipe)
{
	struct asker *asker;

	HASH_FIND(hh, askers->by_pipe, &pipe, sizeof(pipe), asker);
	return asker;
}

static bool was_lost(const struct askers *askers, uint32_t pipe)
{
	for (unsigned i = 0; i < ASKERS_LOST; i++)
		if (askers->lost[i] == pipe)
			return true;
	return false;
}

struct asker *asker_of(struct askers *askers, uint32_t pipe)
{
	struct asker *asker = asker_find(askers, pipe);

	if (asker != NULL || was_lost(askers, pipe))
		return asker;
	asker = talloc_zero(askers->bus, struct asker);
	asker->askers = askers;
	asker->pipe = pipe;
	asker->box.send = asker_on_send;
	HASH_ADD(hh, askers->by_pipe, pipe, sizeof(pipe), asker);
	return asker;
}

static void asker_free(struct asker *asker)
{
	HASH_DELETE(hh, asker->askers->by_pipe, asker);
	outbox_remove(asker->askers->bus, &asker->box);
	while (asker->batches != NULL)
		batch_free(asker, asker->batches);
	talloc_free(asker);
}

void asker_lost(struct askers *askers, uint32_t pipe)
{
	struct asker *asker = asker_find(askers, pipe);

	askers->lost[askers->lost_n++ % ASKERS_LOST] = pipe;
	if (asker != NULL)
		asker_free(asker);
}

void askers_end(struct askers *askers)
{
	struct asker *asker, *next;

	HASH_ITER (hh, askers->by_pipe, asker, next)
		asker_free(asker);
}
