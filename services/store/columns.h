/*
 * columns: what each kind of row consists of. A list makes both the enum that
 * reads a result and the select list of its query, so they cannot drift.
 */
#ifndef ALP_COLUMNS_H
#define ALP_COLUMNS_H

/* ", r.a, r.b": behind another column, from a table called r; or t; or s; or as many nulls. */
#define SQL_COLUMN(kind, name) ", r." #name
#define SQL_TRACK_COLUMN(kind, name) ", t." #name
#define SQL_SETTINGS_COLUMN(kind, name) ", s." #name
#define SQL_NULL(kind, name) ", null"
#define ENUM_COLUMN(kind, name) kind##_##name,

/* A refusal or "ok" comes first, wherever a function may refuse. */
#define VERDICT_COLUMNS(X) X(VERDICT, rc) X(VERDICT, field) X(VERDICT, message)
#define SQL_VERDICT "r.rc, r.field, r.message"

/* clang-format off */
/* Behind a verdict. */
#define SIGNED_IN_COLUMNS(X)                                                                                 \
	X(SIGNED_IN, token_version) X(SIGNED_IN, sign_in_id) X(SIGNED_IN, claimed_tracks) X(SIGNED_IN, claimed_chats) \
	X(SIGNED_IN, claimed_settings)

#define CHANGE_COLUMNS(X)                                                                                    \
	X(CHANGE, xid) X(CHANGE, user_id) X(CHANGE, sign_in_id) X(CHANGE, token_version)

#define USER_COLUMNS(X)                                                                                      \
	X(USER, email) X(USER, password_hash) X(USER, first_name) X(USER, last_name) X(USER, role)           \
	X(USER, is_active) X(USER, is_guest) X(USER, created_at)

#define TRACK_COLUMNS(X)                                                                                     \
	X(TRACK, title) X(TRACK, description) X(TRACK, skill_area) X(TRACK, difficulty_level)                \
	X(TRACK, estimated_duration_hours) X(TRACK, status) X(TRACK, ai_generated_plan)                      \
	X(TRACK, user_expectations) X(TRACK, language) X(TRACK, created_at) X(TRACK, updated_at)             \
	X(TRACK, session_id) X(TRACK, chat_id)

#define MODULE_COLUMNS(X)                                                                                    \
	X(MODULE, track_id) X(MODULE, module_number) X(MODULE, title) X(MODULE, description)                 \
	X(MODULE, learning_objectives) X(MODULE, estimated_duration_hours) X(MODULE, ai_generated_content)   \
	X(MODULE, status) X(MODULE, progress) X(MODULE, completed_at) X(MODULE, created_at) X(MODULE, updated_at)

#define LESSON_COLUMNS(X)                                                                                    \
	X(LESSON, module_id) X(LESSON, lesson_number) X(LESSON, title) X(LESSON, content_type)               \
	X(LESSON, content) X(LESSON, estimated_duration_minutes) X(LESSON, status) X(LESSON, created_at)     \
	X(LESSON, updated_at)

#define SESSION_COLUMNS(X)                                                                                   \
	X(SESSION, track_id) X(SESSION, session_name) X(SESSION, status) X(SESSION, created_at) X(SESSION, updated_at)

#define CHAT_COLUMNS(X)                                                                                      \
	X(CHAT, session_id) X(CHAT, chat_name) X(CHAT, chat_type) X(CHAT, status) X(CHAT, ai_context)        \
	X(CHAT, created_at) X(CHAT, updated_at) X(CHAT, message_count) X(CHAT, last_message_at)

/* Behind a chat: the session it is listed under. */
#define OWNING_COLUMNS(X) X(OWNING, session_name) X(OWNING, track_id) X(OWNING, track_title) X(OWNING, session_created_at)

#define MESSAGE_COLUMNS(X)                                                                                   \
	X(MESSAGE, chat_id) X(MESSAGE, seq) X(MESSAGE, sender_type) X(MESSAGE, message_content)              \
	X(MESSAGE, message_type) X(MESSAGE, ai_model_used) X(MESSAGE, tokens_used) X(MESSAGE, timestamp)     \
	X(MESSAGE, turn_id) X(MESSAGE, client_message_id) X(MESSAGE, parent_id) X(MESSAGE, generation)       \
	X(MESSAGE, prompt_tokens) X(MESSAGE, cached_tokens) X(MESSAGE, completion_tokens)                    \
	X(MESSAGE, usage_estimated) X(MESSAGE, cost_nano) X(MESSAGE, currency) X(MESSAGE, finish_reason)     \
	X(MESSAGE, gateway_in_us) X(MESSAGE, chat_us) X(MESSAGE, store_us) X(MESSAGE, ai_queue_us)           \
	X(MESSAGE, provider_first_token_us) X(MESSAGE, provider_total_us) X(MESSAGE, total_us)

/* The view turn_rows, behind a verdict: what a turn came to, and what asking the model needs. */
#define TURN_OUTCOME_COLUMNS(X)                                                                              \
	X(TURN, turn_id) X(TURN, kind) X(TURN, user_id) X(TURN, user_kind) X(TURN, track_id) X(TURN, state)  \
	X(TURN, message_id) X(TURN, seq) X(TURN, reply) X(TURN, message_type) X(TURN, model)                 \
	X(TURN, finish_reason) X(TURN, prompt_tokens) X(TURN, cached_tokens) X(TURN, completion_tokens)      \
	X(TURN, usage_estimated) X(TURN, cost_nano) X(TURN, currency) X(TURN, gateway_in_us)                 \
	X(TURN, chat_us) X(TURN, store_us) X(TURN, ai_queue_us) X(TURN, provider_first_token_us)             \
	X(TURN, provider_total_us) X(TURN, total_us) X(TURN, timestamp) X(TURN, error_code)                  \
	X(TURN, error_message) X(TURN, result)
#define TURN_CONTEXT_COLUMNS(X)                                                                              \
	X(TURN, session_id) X(TURN, session_key) X(TURN, chat_id) X(TURN, chat_type) X(TURN, attempt)        \
	X(TURN, client_message_id) X(TURN, user_message_id) X(TURN, user_seq) X(TURN, language)              \
	X(TURN, title) X(TURN, description) X(TURN, skill_area) X(TURN, difficulty_level) X(TURN, hours)     \
	X(TURN, expectations) X(TURN, plan) X(TURN, partial) X(TURN, module_id) X(TURN, module_title)        \
	X(TURN, module_description) X(TURN, module_objectives) X(TURN, lesson_id) X(TURN, lesson_number)     \
	X(TURN, lesson_title) X(TURN, content_type) X(TURN, lesson_context)
#define TURN_COLUMNS(X) TURN_OUTCOME_COLUMNS(X) TURN_CONTEXT_COLUMNS(X)

/* What ai_settings() gives, and a key that is still in clear. */
#define SETTINGS_COLUMNS(X)                                                                                  \
	X(SETTINGS, model) X(SETTINGS, base_url) X(SETTINGS, max_tokens) X(SETTINGS, temperature)            \
	X(SETTINGS, api_key) X(SETTINGS, key_hint)
#define UNSEALED_COLUMNS(X) X(UNSEALED, user_id) X(UNSEALED, api_key)

/* clang-format on */

enum verdict_column { VERDICT_COLUMNS(ENUM_COLUMN) VERDICT_COLUMN_COUNT };
enum signed_in_column { SIGNED_IN_before = VERDICT_COLUMN_COUNT - 1, SIGNED_IN_COLUMNS(ENUM_COLUMN) };
enum change_column { CHANGE_cursor, CHANGE_COLUMNS(ENUM_COLUMN) };
enum user_column { USER_id, USER_COLUMNS(ENUM_COLUMN) };
enum track_column { TRACK_id, TRACK_COLUMNS(ENUM_COLUMN) TRACK_module /* the first of a module's columns */ };
enum module_column { MODULE_id, MODULE_COLUMNS(ENUM_COLUMN) MODULE_changes };
enum lesson_column { LESSON_id, LESSON_COLUMNS(ENUM_COLUMN) };
enum session_column { SESSION_id, SESSION_COLUMNS(ENUM_COLUMN) };
enum chat_column { CHAT_id, CHAT_COLUMNS(ENUM_COLUMN) CHAT_COLUMN_COUNT };
enum owning_column { OWNING_before = CHAT_COLUMN_COUNT - 1, OWNING_COLUMNS(ENUM_COLUMN) };
enum message_column { MESSAGE_id, MESSAGE_COLUMNS(ENUM_COLUMN) MESSAGE_COLUMN_COUNT };
/* Behind a message: the chat that it is loaded with, the first of its columns. */
enum loaded_column {
	LOADED_chat = MESSAGE_COLUMN_COUNT,
	LOADED_session = LOADED_chat + CHAT_COLUMN_COUNT,
	LOADED_turn
};
enum settings_column { SETTINGS_user_id, SETTINGS_COLUMNS(ENUM_COLUMN) SETTINGS_COLUMN_COUNT };
enum unsealed_column { UNSEALED_id, UNSEALED_COLUMNS(ENUM_COLUMN) };
/* Behind a verdict: whether whoever asked is to run the turn. */
enum begun_column { BEGUN_begun = VERDICT_COLUMN_COUNT };
enum turn_column { TURN_before = VERDICT_COLUMN_COUNT - 1, TURN_COLUMNS(ENUM_COLUMN) TURN_COLUMN_COUNT };
/* Behind a turn that was begun: what its owner has chosen, from SETTINGS_user_id on, and whether its chat was in the archive. */
enum chosen_column { CHOSEN_settings = TURN_COLUMN_COUNT, CHOSEN_restored = CHOSEN_settings + SETTINGS_COLUMN_COUNT };

#endif
