/*
 * rc: the closed set of result codes a peer may see. A code is for machines;
 * the sentence beside it (struct err) is for people.
 */
#ifndef ALP_RC_H
#define ALP_RC_H

/* CODE, "name on the wire". Codes are only added. */
#define RC_CODES(X) \
	X(OK, "ok") \
	X(INVALID, "invalid") /* the request is malformed: names the field */ \
	X(NOT_FOUND, "not_found") /* unknown or someone else's */ \
	X(CONFLICT, "conflict") /* already taken, or fenced off */ \
	X(CMID_CONFLICT, "cmid_conflict") /* same message id, other content */ \
	X(TURN_RUNNING, "turn_in_progress") \
	X(BUSY, "busy") /* a bound was reached; try later */ \
	X(UNAUTHORIZED, "unauthorized") \
	X(FORBIDDEN, "forbidden") \
	X(UNSUPPORTED, "unsupported") /* unknown message or other major version */ \
	X(UNKNOWN, "unknown") /* no answer in time: may or may not have happened */ \
	X(UNAVAILABLE, "unavailable") /* a dependency is away; nothing happened */ \
	X(STORAGE, "storage_unavailable") \
	X(NOT_CONFIGURED, "ai_not_configured") \
	X(AI_FAILED, "ai_unavailable") \
	X(AI_REFUSED, "ai_refused") \
	X(LIMITED, "rate_limited") /* a share is used up: field names whose */ \
	X(INTERNAL, "internal")

enum rc {
#define X(code, name) RC_##code,
	RC_CODES(X)
#undef X
		RC_COUNT,
	RC_PENDING = -1 /* local only: the handler answers the call later */
};

/* The name on the wire; "internal" for a value outside the set. */
const char *rc_name(enum rc rc);

/* The code of a name; RC_INTERNAL for an unknown one. */
enum rc rc_from_name(const char *name);

#endif
