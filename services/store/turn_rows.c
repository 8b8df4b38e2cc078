#include "turn_rows.h"

#include <stdlib.h>

#include "columns.h"
#include "rows_json.h"

#define TEXT(name) row_text(r, row, TURN_##name)
#define UUID(name) row_uuid(r, row, TURN_##name)
#define I64(name) row_i64(r, row, TURN_##name)

void turn_context_read(const PGresult *r, int row, struct turn_context *out)
{
	*out = (struct turn_context){
		.turn_id = UUID(turn_id),
		.kind = TEXT(kind),
		.user_id = UUID(user_id),
		.user_kind = TEXT(user_kind),
		.session_id = UUID(session_id),
		.session_key = TEXT(session_key),
		.chat_id = UUID(chat_id),
		.chat_type = TEXT(chat_type),
		.attempt = I64(attempt),
		.client_message_id = UUID(client_message_id),
		.user_message_id = UUID(user_message_id),
		.seq = I64(user_seq),
		.language = TEXT(language),
		.track_id = UUID(track_id),
		.title = TEXT(title),
		.description = TEXT(description),
		.skill_area = TEXT(skill_area),
		.difficulty_level = TEXT(difficulty_level),
		.hours = I64(hours),
		.expectations = TEXT(expectations),
		.plan = TEXT(plan),
		.module_id = UUID(module_id),
		.module_title = TEXT(module_title),
		.module_description = TEXT(module_description),
		.module_objectives = TEXT(module_objectives),
		.lesson_id = UUID(lesson_id),
		.lesson_number = I64(lesson_number),
		.lesson_title = TEXT(lesson_title),
		.content_type = TEXT(content_type),
		.lesson_context = TEXT(lesson_context),
	};
}

static struct usage usage_read(const PGresult *r, int row)
{
	return (struct usage){
		.prompt_tokens = I64(prompt_tokens),
		.cached_tokens = I64(cached_tokens),
		.completion_tokens = I64(completion_tokens),
		.estimated = row_flag(r, row, TURN_usage_estimated),
		.cost_nano = row_has(r, row, TURN_cost_nano) ? I64(cost_nano) : -1,
		.currency = TEXT(currency),
	};
}

static struct timing timing_read(const PGresult *r, int row)
{
	return (struct timing){
		.gateway_in = I64(gateway_in_us),
		.chat = I64(chat_us),
		.store = I64(store_us),
		.ai_queue = I64(ai_queue_us),
		.provider_first_token = I64(provider_first_token_us),
		.provider_total = I64(provider_total_us),
		.total = I64(total_us),
	};
}

void outcome_read(const PGresult *r, int row, struct outcome *out, char iso[ISO_SIZE])
{
	*out = (struct outcome){
		.state = TEXT(state),
		.message_id = UUID(message_id),
		.seq = I64(seq),
		.reply = TEXT(reply),
		.message_type = TEXT(message_type),
		.model = TEXT(model),
		.finish_reason = TEXT(finish_reason),
		.error_code = TEXT(error_code),
		.error_message = TEXT(error_message),
	};
	*(text_is(TEXT(kind), "plan") ? &out->course_plan : &out->modules) = TEXT(result);
	if (!row_has(r, row, TURN_message_id))
		return;
	out->usage = usage_read(r, row);
	out->timing = timing_read(r, row);
	if (iso_from_pg(TEXT(timestamp), iso))
		out->timestamp = text_from(iso);
}

static struct text all_added(const void *ctx, struct text modules)
{
	CLEANUP(json_drop) cJSON *tree = json_parse_trusted(modules);
	CLEANUP(string_done) UT_string json = { 0 };
	static const char *const others[] = { "changed", "kept", "removed" };
	const cJSON *module;

	utstring_init(&json);
	json_open(&json, NULL, '{');
	json_open(&json, "added", '[');
	cJSON_ArrayForEach(module, tree) json_text(&json, NULL, json_get_text(module, "id"));
	json_close(&json, ']');
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		json_open(&json, others[i], '[');
		json_close(&json, ']');
	}
	json_close(&json, '}');
	return text_copy(ctx, json_written(&json));
}

void turn_modules_read(const void *ctx, const PGresult *r, int row, int at, struct turn_context *context,
		       struct outcome *outcome)
{
	CLEANUP(string_done) UT_string json = { 0 };

	utstring_init(&json);
	if (outcome->modules.len > 0) {
		outcome->changes = all_added(ctx, outcome->modules);
		return;
	}
	if (PQntuples(r) <= row)
		return;
	json_modules(&json, r, row, at);
	if (text_is(outcome->state, "running")) {
		context->modules = text_copy(ctx, json_written(&json));
	} else if (text_is(outcome->state, "completed")) {
		outcome->modules = text_copy(ctx, json_written(&json));
		outcome->changes = row_text(r, row, at + MODULE_changes);
	}
}
