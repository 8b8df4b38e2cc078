/* modules: what the model answers to a finalization or is asked as a course plan, checked, and what is announced in the chat. */
#ifndef ALP_MODULES_H
#define ALP_MODULES_H

#include "messages.h"

struct modules {
	struct text json; /* array of {title, description, estimated_duration_hours, learning_objectives, id?} */
	struct text seen; /* the track's modules it was written for, as turn_finish compares them */
	struct text announcement; /* Markdown in the track's language */
	int64_t count, hours; /* of the track afterwards */
};

#define MODULES_MAX 24

/*
 * Reads {"modules":[...]} or a bare array, with or without a Markdown fence.
 * Missing descriptions and objectives are tolerated, wrong types are not;
 * hours are clamped to 1..500. Modules that continue one of context->modules
 * get its id (module_match.h). Texts belong to ctx. False with err, whose
 * message can be told to the model.
 */
bool modules_parse(const void *ctx, struct text answer, const struct turn_context *context, struct modules *out,
		   struct err *err);

/* A JSON object, with or without a fence, written anew; the text belongs to ctx. False: it is none. */
bool course_plan_parse(const void *ctx, struct text answer, struct text *out);

#endif
