/* handlers: what others may ask of chat; one function per message (proto/messages.def). */
#ifndef ALP_CHAT_HANDLERS_H
#define ALP_CHAT_HANDLERS_H

#include "chat.h"

#define DISPATCH_TYPE struct chat
#define DISPATCH_CHAT
#include "dispatch.h"

#endif
