/* probe: what the two files of alp-probe share. Not for anyone else. */
#ifndef ALP_PROBE_H
#define ALP_PROBE_H

#include "bus.h"

/* Moves the texts of "blob:name" members behind the JSON, as the codecs want them. */
void probe_blobs_behind(cJSON *node, UT_string *blob);

/*
 * Reads questions from standard input, one JSON object a line, and prints the
 * answers as they come, until the input ends and all is answered. ids are the asker's:
 *
 *   {"id": 7, "message": "turn_load", "kind": "user", "caller": "<uuid>", "body": {...}}
 *   {"id": 7, "rc": "ok", "body": {...}, "blob": "..."}     a blob member is [from, bytes]
 *   {"id": 7, "rc": "not_found", "field": "", "message": "..."}
 */
void probe_batch(struct ev_loop *ev, struct bus *bus, const char *address);

#endif
