#include "tickets.h"

#include <sodium.h>
#include <uthash.h>

#include "clock.h"

#define TICKETS_MAX 16384

struct ticket {
	char name[TICKET_SIZE];
	struct token token;
	int64_t until_us;
	UT_hash_handle hh; /* in the order of issue, which is that of expiry */
};

struct tickets {
	struct ticket *all;
};

/* The hash's own memory is no talloc memory. */
static int tickets_done(struct tickets *tickets)
{
	HASH_CLEAR(hh, tickets->all);
	return 0;
}

struct tickets *tickets_new(void *ctx)
{
	struct tickets *tickets = talloc_zero(ctx, struct tickets);

	talloc_set_destructor(tickets, tickets_done);
	return tickets;
}

static void ticket_drop(struct tickets *tickets, struct ticket *ticket)
{
	HASH_DEL(tickets->all, ticket);
	talloc_free(ticket);
}

static void drop_old(struct tickets *tickets)
{
	struct ticket *ticket, *next;

	HASH_ITER (hh, tickets->all, ticket, next) {
		if (ticket->until_us > clock_us())
			return;
		ticket_drop(tickets, ticket);
	}
}

bool ticket_issue(struct tickets *tickets, const struct token *token, char out[TICKET_SIZE])
{
	unsigned char raw[32];
	struct ticket *ticket;

	drop_old(tickets);
	if (HASH_COUNT(tickets->all) >= TICKETS_MAX)
		return false;
	ticket = talloc_zero(tickets, struct ticket);
	randombytes_buf(raw, sizeof(raw));
	sodium_bin2base64(ticket->name, sizeof(ticket->name), raw, sizeof(raw),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	ticket->token = *token;
	ticket->until_us = clock_us() + TICKET_LIFE_S * 1000000LL;
	HASH_ADD_STR(tickets->all, name, ticket);
	memcpy(out, ticket->name, TICKET_SIZE);
	return true;
}

bool ticket_redeem(struct tickets *tickets, struct text name, struct token *out)
{
	struct ticket *ticket = NULL;

	drop_old(tickets);
	if (name.len == TICKET_SIZE - 1)
		HASH_FIND(hh, tickets->all, name.p, name.len, ticket);
	if (ticket == NULL)
		return false;
	*out = ticket->token;
	ticket_drop(tickets, ticket);
	return true;
}
