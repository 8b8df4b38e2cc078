/*
 * settings: a user's own choices in the work that is handed out for him: one
 * rule for every kind of turn. And the keys that are kept for users: with what
 * they are sealed, and that none stays in clear. Keys are never opened here.
 * Loop thread only.
 */
#ifndef ALP_CHAT_SETTINGS_H
#define ALP_CHAT_SETTINGS_H

#include "bus.h"
#include "seal.h"

struct chat;
struct turn;

struct keys {
	char seal_key[SEAL_KEY_SIZE]; /* as a worker told it last; "" while none did */
	bool asking; /* keys_seal is on its way */
	int64_t next_us; /* when to ask again */
};

/* Model, server, key, length and temperature of the turn's owner over those of its kind. Texts are borrowed. */
void settings_apply(const struct turn *turn, struct ans_work_pull *work);

/* A worker told with what it opens keys. */
void keys_heard(struct chat *chat, struct text seal_key);

/* Has the store seal what is still in clear: when the first worker comes, and now and then. */
void keys_tick(struct chat *chat);

/* The worker had to open the owner's key with an old secret: the store keeps the new text. Empty: it had not. */
void keys_renew(const struct turn *turn, struct text sealed);

#endif
