#!/usr/bin/env bash
# Installs and builds what tests need, then runs all of them, or the named
# groups: test.sh [unit] [fakes] [model] [frontend] [component] [contract]
# [suite] [browser] [chaos]

. "$(dirname "$0")/lib.sh"

"$ROOT/deploy/dev/deps.sh" test
"$ROOT/deploy/dev/npm.sh" tests
"$ROOT/deploy/dev/npm.sh" frontend
"$ROOT/deploy/dev/build.sh" debug
# What is delivered is compiled differently: warnings of its own, and no fault points.
"$ROOT/deploy/dev/build.sh" release alp-gateway alp-chat alp-ai alp-store
make -C "$ROOT" frontend-build
exec "$ROOT/deploy/dev/node.sh" tests/lib/run.js "$@"
