#!/usr/bin/env bash
# Runs a script with the Node that fits, from the project's folder.

. "$(dirname "$0")/lib.sh"

node_new_enough || die "Node 20.19 or newer is missing; run make deps"
cd "$ROOT"
exec node "$@"
