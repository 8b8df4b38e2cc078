/*
 * dispatch: a service's handlers, grown from the catalogue. Include it once in
 * a service's handlers.h with
 *
 *   #define DISPATCH_TYPE struct chat      what the handlers get as first argument
 *   #define DISPATCH_CHAT                  (or _STORE, _AI, _GATEWAY: whose messages)
 *
 * It declares on_<name> for every message of that receiver, and with
 * DISPATCH_TABLE defined (in one .c file) the row table `dispatch_rows`, whose
 * address goes to bus_serve and bus_subscribe_*. A message without its handler
 * does not link.
 */
#include "bus.h"

#define DISPATCH_ROW_CALL(ID, name) \
	enum rc on_##name(DISPATCH_TYPE *service, const struct msg_##name *m, struct call *call);
#define DISPATCH_ROW_EVENT(ID, name) \
	void on_##name(DISPATCH_TYPE *service, const struct msg_##name *m, const struct envelope *env);

#ifdef DISPATCH_GATEWAY
#define CALL_GATEWAY DISPATCH_ROW_CALL
#define EVENT_GATEWAY DISPATCH_ROW_EVENT
#else
#define CALL_GATEWAY(ID, name)
#define EVENT_GATEWAY(ID, name)
#endif
#ifdef DISPATCH_CHAT
#define CALL_CHAT DISPATCH_ROW_CALL
#define EVENT_CHAT DISPATCH_ROW_EVENT
#else
#define CALL_CHAT(ID, name)
#define EVENT_CHAT(ID, name)
#endif
#ifdef DISPATCH_AI
#define CALL_AI DISPATCH_ROW_CALL
#define EVENT_AI DISPATCH_ROW_EVENT
#else
#define CALL_AI(ID, name)
#define EVENT_AI(ID, name)
#endif
#ifdef DISPATCH_STORE
#define CALL_STORE DISPATCH_ROW_CALL
#define EVENT_STORE DISPATCH_ROW_EVENT
#else
#define CALL_STORE(ID, name)
#define EVENT_STORE(ID, name)
#endif

#define CALL(ID, name, receiver, req, ans) CALL_##receiver(ID, name)
#define EVENT(ID, name, receiver, ...) EVENT_##receiver(ID, name)
#include "messages.def"

#ifdef DISPATCH_TABLE

#undef DISPATCH_ROW_CALL
#undef DISPATCH_ROW_EVENT
#define DISPATCH_ROW_CALL(ID, name) \
	static enum rc call_##name(void *service, const void *m, struct call *call) \
	{ \
		return on_##name(service, m, call); \
	}
#define DISPATCH_ROW_EVENT(ID, name) \
	static void event_##name(void *service, const void *m, const struct envelope *env) \
	{ \
		on_##name(service, m, env); \
	}
#define CALL(ID, name, receiver, req, ans) CALL_##receiver(ID, name)
#define EVENT(ID, name, receiver, ...) EVENT_##receiver(ID, name)
#include "messages.def"

#undef DISPATCH_ROW_CALL
#undef DISPATCH_ROW_EVENT
#define DISPATCH_ROW_CALL(ID, name) .call[MSG_##ID] = call_##name,
#define DISPATCH_ROW_EVENT(ID, name) .event[MSG_##ID] = event_##name,
#define CALL(ID, name, receiver, req, ans) CALL_##receiver(ID, name)
#define EVENT(ID, name, receiver, ...) EVENT_##receiver(ID, name)
static struct dispatch dispatch_rows = {
#include "messages.def"
};

#endif
