#!/usr/bin/env bash
# The Debian packages for real: tests/packages/packages.test.js in a container that
# boots systemd. Needs root, mmdebstrap and systemd-nspawn; make deb comes before.

. "$(dirname "$0")/lib.sh"

((EUID == 0)) || die "booting a container needs root"
"$ROOT/deploy/dev/deps.sh" package-test
"$ROOT/deploy/dev/npm.sh" tests
exec "$ROOT/deploy/dev/node.sh" --test --test-reporter=spec tests/packages/packages.test.js
