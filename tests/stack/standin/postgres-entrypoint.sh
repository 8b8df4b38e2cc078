#!/bin/sh
# What the official image's entry point does on an empty volume, in short.
set -eu

data=/var/lib/postgresql/data
if [ ! -s "$data/PG_VERSION" ]; then
	password=$(mktemp)
	printf '%s\n' "$POSTGRES_PASSWORD" >"$password"
	initdb -D "$data" -U "$POSTGRES_USER" -E UTF8 --locale=C.UTF-8 --pwfile="$password" \
		--auth-local=trust --auth-host=scram-sha-256
	rm "$password"
	echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
	pg_ctl -D "$data" -w -o "-c listen_addresses=''" start
	createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
	pg_ctl -D "$data" -w stop
fi
exec postgres -D "$data" -c "listen_addresses=*"
