#!/usr/bin/env bash
# backup.sh FILE: the whole database of DATABASE_URL as it is at this moment, while the suite runs.
# FILE is complete when it is there. It holds everything that people wrote, so only its owner can read it.

. "$(dirname "$0")/lib.sh"

[[ $# -eq 1 ]] || die "usage: backup.sh FILE"
need pg_dump psql
take_url
[[ ! -e "$1" ]] || die "$1 exists already"
trap 'rm -f "$1.part"' EXIT
trap 'exit 1' HUP INT TERM
pg_dump --format=custom --no-owner --no-privileges --file="$1.part" -d "$URL"
mv "$1.part" "$1"
say "$1: $(wc -c <"$1") bytes"
