#!/usr/bin/env bash
# npm.sh FOLDER [SCRIPT]: the packages its lock file names, unless they are
# there already; then runs that script of its package.json.

. "$(dirname "$0")/lib.sh"

cd "$ROOT/${1:?usage: npm.sh FOLDER [SCRIPT]}"
if ! have npm || ! node_new_enough; then
	die "Node 20.19 or newer and npm are missing; run make deps"
fi
done_mark=node_modules/.package-lock.json
if [[ ! -f $done_mark || package-lock.json -nt $done_mark ]]; then
	npm ci --no-audit --no-fund
	touch "$done_mark"
fi
[[ -z ${2-} ]] || npm run --silent "$2"
