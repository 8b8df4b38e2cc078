#include "rows_json.h"

#include <stdio.h>
#include <strings.h>

#include "columns.h"

/* ---- accounts ------------------------------------------------------------------- */

/* A guest's public id and address are made of his row id. */
static void put_guest_names(UT_string *out, struct text id)
{
	char hex[33], name[64];
	size_t n = 0;

	for (size_t i = 0; i < id.len && n < 32; i++)
		if (id.p[i] != '-')
			hex[n++] = id.p[i];
	hex[n] = '\0';
	snprintf(name, sizeof(name), "guest_%s", hex);
	json_str(out, "id", name);
	snprintf(name, sizeof(name), "guest_%.8s@guest.com", hex);
	json_str(out, "email", name);
}

void json_user(UT_string *out, const PGresult *r, int row)
{
	bool guest = row_flag(r, row, USER_is_guest);

	json_open(out, NULL, '{');
	if (guest) {
		put_guest_names(out, row_text(r, row, USER_id));
	} else {
		put_row_text(out, "id", r, row, USER_id);
		put_row_text(out, "email", r, row, USER_email);
	}
	put_row_text(out, "first_name", r, row, USER_first_name);
	put_row_text(out, "last_name", r, row, USER_last_name);
	put_row_lower(out, "role", r, row, USER_role, "student");
	if (!guest) {
		json_bool(out, "is_active", row_flag(r, row, USER_is_active));
		put_row_time(out, "created_at", r, row, USER_created_at);
	}
	json_bool(out, "is_guest", guest);
	json_close(out, '}');
}

/* ---- tracks ------------------------------------------------------------------------- */

static const char *const levels[] = { "beginner", "intermediate", "advanced", NULL };
static const char *const track_statuses[] = { "planning", "active", "completed", "paused", NULL };
static const char *const module_statuses[] = { "not_started", "in_progress", "completed", "paused", NULL };

/* 0 to 100, whatever an old row holds. at: the column of the module's id. */
static int64_t module_progress(const PGresult *r, int row, int at)
{
	int64_t progress = row_i64(r, row, at + MODULE_progress);

	if (strcasecmp(PQgetvalue(r, row, at + MODULE_status), "completed") == 0 || progress > 100)
		return 100;
	return progress > 0 ? progress : 0;
}

static void json_module(UT_string *out, const PGresult *r, int row, int at)
{
	json_open(out, NULL, '{');
	put_row_text(out, "id", r, row, at + MODULE_id);
	put_row_i64(out, "module_number", r, row, at + MODULE_module_number);
	put_row_text(out, "title", r, row, at + MODULE_title);
	put_row_or(out, "description", r, row, at + MODULE_description, "");
	put_row_strings(out, "learning_objectives", r, row, at + MODULE_learning_objectives);
	json_i64(out, "estimated_duration_hours", row_i64(r, row, at + MODULE_estimated_duration_hours));
	put_row_choice(out, "status", r, row, at + MODULE_status, module_statuses);
	json_i64(out, "progress", module_progress(r, row, at));
	put_row_time(out, "completed_at", r, row, at + MODULE_completed_at);
	put_row_object(out, "ai_generated_content", r, row, at + MODULE_ai_generated_content);
	put_row_time(out, "created_at", r, row, at + MODULE_created_at);
	put_row_time(out, "updated_at", r, row, at + MODULE_updated_at);
	json_close(out, '}');
}

void json_modules(UT_string *out, const PGresult *modules, int row, int at)
{
	json_open(out, NULL, '[');
	for (; row < PQntuples(modules); row++)
		json_module(out, modules, row, at);
	json_close(out, ']');
}

/* From row on; the row behind them. */
static int put_modules(UT_string *out, const PGresult *r, int row)
{
	int64_t n = 0, progress = 0;

	json_open(out, "modules", '[');
	for (; row < PQntuples(r) && row_has(r, row, TRACK_module + MODULE_id); row++) {
		json_module(out, r, row, TRACK_module);
		n++;
		progress += module_progress(r, row, TRACK_module);
	}
	json_close(out, ']');
	json_i64(out, "progress", n > 0 ? progress / n : 0); /* of the course: the mean of its modules */
	return row;
}

int json_track(UT_string *out, const PGresult *r, int row)
{
	int next;

	json_open(out, NULL, '{');
	put_row_text(out, "id", r, row, TRACK_id);
	put_row_text(out, "title", r, row, TRACK_title);
	put_row_or(out, "description", r, row, TRACK_description, "");
	put_row_or(out, "skill_area", r, row, TRACK_skill_area, "");
	put_row_choice(out, "difficulty_level", r, row, TRACK_difficulty_level, levels);
	json_i64(out, "estimated_duration_hours", row_i64(r, row, TRACK_estimated_duration_hours));
	put_row_choice(out, "status", r, row, TRACK_status, track_statuses);
	put_row_or(out, "user_expectations", r, row, TRACK_user_expectations, "");
	put_row_object(out, "ai_generated_plan", r, row, TRACK_ai_generated_plan);
	put_row_text(out, "language", r, row, TRACK_language);
	next = put_modules(out, r, row + 1);
	put_row_text(out, "session_id", r, row, TRACK_session_id);
	put_row_text(out, "chat_id", r, row, TRACK_chat_id);
	put_row_time(out, "created_at", r, row, TRACK_created_at);
	put_row_time(out, "updated_at", r, row, TRACK_updated_at);
	json_close(out, '}');
	return next;
}

void json_tracks(UT_string *out, const PGresult *tracks)
{
	json_open(out, NULL, '[');
	for (int row = 0; row < PQntuples(tracks);)
		row = json_track(out, tracks, row);
	json_close(out, ']');
}

/* ---- lessons ------------------------------------------------------------------------------ */

static const char *const lesson_statuses[] = { "not_started", "in_progress", "completed", NULL };

void json_lesson(UT_string *out, const PGresult *r, int row)
{
	json_open(out, NULL, '{');
	put_row_text(out, "id", r, row, LESSON_id);
	put_row_text(out, "module_id", r, row, LESSON_module_id);
	json_i64(out, "lesson_number", row_i64(r, row, LESSON_lesson_number));
	put_row_text(out, "title", r, row, LESSON_title);
	put_row_lower(out, "content_type", r, row, LESSON_content_type, "theory");
	put_row_or(out, "content", r, row, LESSON_content, "");
	json_i64(out, "estimated_duration_minutes", row_i64(r, row, LESSON_estimated_duration_minutes));
	put_row_choice(out, "status", r, row, LESSON_status, lesson_statuses);
	put_row_time(out, "created_at", r, row, LESSON_created_at);
	put_row_time(out, "updated_at", r, row, LESSON_updated_at);
	json_close(out, '}');
}

void json_lessons(UT_string *out, const PGresult *r)
{
	json_open(out, NULL, '[');
	for (int i = 0; i < PQntuples(r); i++)
		if (row_has(r, i, LESSON_id))
			json_lesson(out, r, i);
	json_close(out, ']');
}

/* ---- sessions and chats ------------------------------------------------------------------- */

void json_session(UT_string *out, const PGresult *r, int row)
{
	json_open(out, NULL, '{');
	put_row_text(out, "id", r, row, SESSION_id);
	put_row_or(out, "track_id", r, row, SESSION_track_id, "");
	put_row_or(out, "session_name", r, row, SESSION_session_name, "");
	put_row_or(out, "status", r, row, SESSION_status, "active");
	put_row_time(out, "created_at", r, row, SESSION_created_at);
	put_row_time(out, "updated_at", r, row, SESSION_updated_at);
	json_close(out, '}');
}

void json_sessions(UT_string *out, const PGresult *sessions)
{
	json_open(out, NULL, '[');
	for (int i = 0; i < PQntuples(sessions); i++)
		json_session(out, sessions, i);
	json_close(out, ']');
}

/* What all forms of a chat have, but for the name of its id. at: the column of that. */
static void put_chat(UT_string *out, const char *id_key, const PGresult *r, int row, int at)
{
	put_row_text(out, id_key, r, row, at + CHAT_id);
	put_row_or(out, "chat_name", r, row, at + CHAT_chat_name, "");
	put_row_or(out, "chat_type", r, row, at + CHAT_chat_type, "planning");
	put_row_or(out, "status", r, row, at + CHAT_status, "active");
	put_row_time(out, "created_at", r, row, at + CHAT_created_at);
	put_row_time(out, "updated_at", r, row, at + CHAT_updated_at);
	put_row_i64(out, "message_count", r, row, at + CHAT_message_count);
	put_row_time(out, "last_message_at", r, row, at + CHAT_last_message_at);
}

void json_chat(UT_string *out, const PGresult *r, int row)
{
	json_open(out, NULL, '{');
	put_chat(out, "id", r, row, 0);
	put_row_text(out, "session_id", r, row, CHAT_session_id);
	json_close(out, '}');
}

void json_chats(UT_string *out, const PGresult *chats)
{
	json_open(out, NULL, '[');
	for (int i = 0; i < PQntuples(chats); i++)
		json_chat(out, chats, i);
	json_close(out, ']');
}

void json_chat_info(UT_string *out, const PGresult *r, int row, int at)
{
	json_open(out, NULL, '{');
	put_chat(out, "chat_id", r, row, at);
	put_row_text(out, "session_id", r, row, at + CHAT_session_id);
	put_row_object(out, "ai_context", r, row, at + CHAT_ai_context);
	json_close(out, '}');
}

/* The session of row and its chats; the row behind them. */
static int put_session_chats(UT_string *out, const PGresult *r, int row)
{
	struct text session = row_text(r, row, CHAT_session_id);

	json_open(out, NULL, '{');
	put_row_text(out, "session_id", r, row, CHAT_session_id);
	put_row_or(out, "session_name", r, row, OWNING_session_name, "");
	put_row_or(out, "track_title", r, row, OWNING_track_title, "");
	put_row_or(out, "track_id", r, row, OWNING_track_id, "");
	put_row_time(out, "session_created_at", r, row, OWNING_session_created_at);
	json_open(out, "chats", '[');
	for (; row < PQntuples(r) && text_equal(row_text(r, row, CHAT_session_id), session); row++) {
		json_open(out, NULL, '{');
		put_chat(out, "chat_id", r, row, 0);
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
	return row;
}

void json_chats_by_session(UT_string *out, const PGresult *chats)
{
	json_open(out, NULL, '[');
	for (int row = 0; row < PQntuples(chats);)
		row = put_session_chats(out, chats, row);
	json_close(out, ']');
}
