/* handlers: what others may tell gateway (proto/messages.def). */
#ifndef ALP_GATEWAY_HANDLERS_H
#define ALP_GATEWAY_HANDLERS_H

#include "gateway.h"

#define DISPATCH_TYPE struct gateway
#define DISPATCH_GATEWAY
#include "dispatch.h"

#endif
