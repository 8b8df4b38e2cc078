#!/usr/bin/env bash
# Removes what can be made again. The database, .env and the secrets stay.

. "$(dirname "$0")/lib.sh"

"$ROOT/deploy/dev/stack.sh" stop
rm -rf "$ROOT/build" "$ROOT/frontend/dist" "${VAR:?}/log" "$VAR/service" "$VAR/env" "$VAR/env.bin" "$VAR/lock"
say "clean; the database, .env and node_modules were kept"
