#!/usr/bin/env bash
# restore.sh FILE: what backup.sh wrote, into the empty database of DATABASE_URL. All of it or nothing.
# No daemon may use that database yet. The store brings an older schema up to date when it starts.

. "$(dirname "$0")/lib.sh"

[[ $# -eq 1 ]] || die "usage: restore.sh FILE"
need pg_restore psql
take_url
pg_restore --list "$1" >/dev/null || die "$1 is no backup"
tables=$(ask -c "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")
((tables == 0)) || die "the database is not empty: it has $tables tables; give DATABASE_URL a new one"
pg_restore --exit-on-error --single-transaction --no-owner --no-privileges -d "$URL" "$1"
ask -f "$(dirname "$0")/restored.sql" ||
	die "everything is there, but restored.sql failed: psql -f $(dirname "$0")/restored.sql before a daemon starts"
say "restored: $(ask -c "select count(*) from users") users, $(ask -c "select count(*) from chat_messages") messages"
