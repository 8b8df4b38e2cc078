/*
 * tickets: short-lived secrets that stand for a signed-in caller at one
 * WebSocket upgrade, for clients that can set neither header nor cookie.
 * In memory, used once, bounded. Loop thread only.
 */
#ifndef ALP_TICKETS_H
#define ALP_TICKETS_H

#include "tokens.h"

#define TICKET_LIFE_S 30
#define TICKET_SIZE 44 /* 43 characters of base64url */

struct tickets;

struct tickets *tickets_new(void *ctx);

/* False when there are too many. */
bool ticket_issue(struct tickets *tickets, const struct token *token, char out[TICKET_SIZE]);

/* Takes it away; false when it is unknown, used or too old. */
bool ticket_redeem(struct tickets *tickets, struct text ticket, struct token *out);

#endif
