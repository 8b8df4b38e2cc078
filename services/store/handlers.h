/* handlers: on_<message> for every message of the store; see handlers_*.c. */
#ifndef ALP_STORE_HANDLERS_H
#define ALP_STORE_HANDLERS_H

#include "store.h"

#define DISPATCH_TYPE struct store
#define DISPATCH_STORE
#include "dispatch.h"

#endif
