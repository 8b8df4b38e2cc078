/* handlers: what chat publishes to workers. */
#ifndef ALP_AI_HANDLERS_H
#define ALP_AI_HANDLERS_H

#include "attempt.h"

#define DISPATCH_TYPE struct chat_link
#define DISPATCH_AI
#include "dispatch.h"

#endif
