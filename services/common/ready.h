/*
 * ready: asks a running daemon's own /readyz, for health checks of places that
 * have no curl: alp-NAME --check-ready. A process of its own, it blocks.
 */
#ifndef ALP_READY_H
#define ALP_READY_H

#include <stdbool.h>
#include <stdio.h>

/*
 * address is the daemon's health address (host:port); one that listens
 * everywhere is asked on this machine. True when it answers 200 within three
 * seconds; otherwise one line to out says what it answered instead.
 */
bool ready_ask(const char *address, FILE *out);

#endif
