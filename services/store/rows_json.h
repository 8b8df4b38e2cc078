/*
 * rows_json: rows as the JSON that clients see (rest.md 2 to 4). Each writes
 * one value: an object, or an array where it says so. Rows of an old database
 * may hold anything in their nullable columns: that never fails a list.
 * Any thread; pure. Columns: columns.h.
 */
#ifndef ALP_ROWS_JSON_H
#define ALP_ROWS_JSON_H

#include "rows.h"

void json_user(UT_string *out, const PGresult *users, int row);

/* A row of a track and those of its modules, behind it. Returns the row behind them. */
int json_track(UT_string *out, const PGresult *tracks, int row);
void json_tracks(UT_string *out, const PGresult *tracks); /* array */
/* Array, from row on. at: the column of a module's id. */
void json_modules(UT_string *out, const PGresult *modules, int row, int at);

void json_lesson(UT_string *out, const PGresult *lessons, int row);
void json_lessons(UT_string *out, const PGresult *lessons); /* array; a row without an id is none */

void json_session(UT_string *out, const PGresult *sessions, int row);
void json_sessions(UT_string *out, const PGresult *sessions); /* array */
void json_chat(UT_string *out, const PGresult *chats, int row);
void json_chats(UT_string *out, const PGresult *chats); /* array */
void json_chats_by_session(UT_string *out, const PGresult *chats); /* array; rows sorted by session */
void json_chat_info(UT_string *out, const PGresult *chats, int row, int at); /* at: the column of its id */

/* Rows newest first become entries oldest first, comma-separated, without brackets. Returns how many. */
int json_history(UT_string *out, const PGresult *messages); /* history entries */
int json_message_rows(UT_string *out, const PGresult *messages); /* the row form */

/* The model's view, {"role":..,"content":..},...: rows of turn_history, newest first. Returns how many were left out. */
int64_t json_dialogue(UT_string *out, const PGresult *rows);

#endif
