/*
 * unready: one line in the log when a daemon lacks what it needs, and one when
 * it has it again. It looks every UNREADY_LOOK_MS, so what is over in less is
 * not told, a start that waits for its peers least of all. Loop thread only.
 */
#ifndef ALP_UNREADY_H
#define ALP_UNREADY_H

#include <stdbool.h>

#include "loop.h"

#define UNREADY_LOOK_MS 2000

struct daemon;

struct unready {
	struct daemon *daemon;
	ev_timer timer;
	bool told;
};

void unready_init(struct unready *u, struct daemon *d);
void unready_done(struct unready *u);

#endif
