#include "takeover.h"

#include "chat.h"
#include "clock.h"

#define LOOK_EVERY_US 1000000
#define STORE_AWAY_US 200000

static void takeover_ask(struct chat *chat);

static void on_claim(void *arg, const struct answer *answer)
{
	struct chat *chat = arg;
	const struct ans_turn_claim *a = answer->body;

	chat->takeover.asking = false;
	if (a == NULL) {
		chat->takeover.next_us = clock_us() + STORE_AWAY_US;
		return;
	}
	if (a->found) {
		turn_adopt(chat, &a->context, a->partial);
		takeover_ask(chat);
		return;
	}
	if (!chat->takeover.own_done)
		log_info(&chat->log, "takeover.done", "turns=%zu", chat->turns_n);
	chat->takeover.own_done = true;
	chat->takeover.next_us = clock_us() + LOOK_EVERY_US;
}

static void takeover_ask(struct chat *chat)
{
	struct msg_turn_claim m = { .owner = text_from(chat->owner),
				    .lease_ms = chat->config->lease_ms,
				    .history_tokens = chat->config->history_token_budget,
				    .own_too = !chat->takeover.own_done };

	chat->takeover.asking = true;
	bus_request(chat->store, MSG_TURN_CLAIM, &m, &(struct ask){ 0 }, on_claim, chat);
}

void takeover_tick(struct chat *chat)
{
	if (!chat->takeover.asking && !chat->daemon->draining && clock_us() >= chat->takeover.next_us)
		takeover_ask(chat);
}
