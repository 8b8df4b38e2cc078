/*
 * fault: named points at which a test makes this process die, stop or be slow.
 * In builds without ALP_FAULTS (all but debug, tsan and chaos) nothing of it
 * exists: FAULT_POINT is empty, and no name is in the binary, not even in its
 * debug information.
 *
 * What shall happen is told by the environment variable FAULTS at start, or by
 * the file that FAULTS_FILE names: it is read, and removed, at start and on
 * SIGURG, so that the next life of this process does not meet it again.
 *
 *   FAULTS="chat_after_begin=kill@3,store_finish=delay:500,ai_first_byte=stop@1x2"
 *
 *   name=kill        SIGKILL to this process
 *   name=stop        SIGSTOP to this process
 *   name=delay:MS    the whole process sleeps
 *   @N               at the Nth time the point is passed from now on (1)
 *   xM               M times from then on (1)
 *
 * Points of other daemons are known and ignored: one value serves all. What
 * was told replaces what was told before. Loop thread only.
 */
#ifndef ALP_FAULT_H
#define ALP_FAULT_H

#include "err.h"
#include "log.h"
#include "loop.h"

#ifdef ALP_FAULTS

enum fault_point {
#define FAULT(name, service, what) FAULT_##name,
#include "fault_points.def"
#undef FAULT
	FAULT_COUNT
};

#define FAULT_POINT(name) fault_hit(FAULT_##name)

void fault_hit(enum fault_point point);

/* Replaces what is armed; on false nothing is. */
bool fault_arm(const char *spec, struct err *err);

/* Once, at start. log outlives the process's loop. False: FAULTS or the file's content is wrong. */
bool fault_init(struct loop *loop, const struct log *log, struct err *err);
void fault_done(struct loop *loop);

#else

#define FAULT_POINT(name) ((void)0)

#endif

#endif
