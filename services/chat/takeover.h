/*
 * takeover: unfinished turns that nobody runs. At the start those of an
 * earlier process with this instance's name, afterwards any whose lease has
 * run out. Loop thread only.
 */
#ifndef ALP_TAKEOVER_H
#define ALP_TAKEOVER_H

struct chat;

void takeover_tick(struct chat *chat);

#endif
