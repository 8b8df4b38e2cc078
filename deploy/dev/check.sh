#!/usr/bin/env bash
# Everything that reads the sources without running them. Goes through all of
# it and fails at the end, so that one run shows everything.

. "$(dirname "$0")/lib.sh"

BANNED='\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|alloca|gets)[[:space:]]*\('
FAILED=()

step() {
	local name=$1

	shift
	printf '%-14s' "$name"
	if "$@" >"$OUT" 2>&1; then
		say ok
	else
		say FAILED
		cat "$OUT"
		FAILED+=("$name")
	fi
}

sources() { git -C "$ROOT" ls-files -co --exclude-standard -- "$@"; }

no_banned_calls() { ! grep -nE "$BANNED" "${C_FILES[@]}"; }
env_example_is_current() { node deploy/dev/env-example.mjs | diff - deploy/env.example; }
settings_doc_is_current() { node deploy/dev/settings-table.mjs | diff - docs/settings.md; }
metrics_doc_is_current() { node deploy/dev/metrics-table.mjs | diff - docs/metrics.md; }
rules_are_good() { (cd deploy/observability/rules && "$PROMTOOL_PATH" check rules recording.yml alerts.yml && "$PROMTOOL_PATH" test rules rules_test.yml); }
contract_doc_is_current() { node tests/contract/table.js --check; }
tidy() { printf '%s\0' "${UNITS[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/debug --quiet --warnings-as-errors='*'; }

"$ROOT/deploy/dev/deps.sh" check
"$ROOT/deploy/dev/npm.sh" tests
"$ROOT/deploy/dev/build.sh" debug
cd "$ROOT"
PROMTOOL_PATH=$([[ -x $PROMTOOL ]] && printf '%s' "$PROMTOOL" || printf promtool)
OUT=$(mktemp)
trap 'rm -f "$OUT"' EXIT
mapfile -t C_FILES < <(sources '*.c' '*.h')
mapfile -t UNITS < <(sources 'proto/*.c' 'services/*.c' | grep -v _test.c)
mapfile -t SCRIPTS < <(sources 'deploy/*.sh' 'tests/stack/*.sh' .ci/run)

step format clang-format --dry-run -Werror "${C_FILES[@]}"
step banned-calls no_banned_calls
# cppcheck 2.10 stumbles over the catalogue's macros, over compound literals in
# a conditional, and over typedefs of functions.
step cppcheck cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j "$(nproc)" \
	--enable=warning,performance,portability --library=deploy/dev/cppcheck.cfg \
	--suppress=missingIncludeSystem --suppress='unknownMacro:*messages.def' \
	--suppress=internalAstError --suppress=AssignmentIntegerToAddress \
	-I proto -I services/common "${UNITS[@]}"
step clang-tidy tidy
step shellcheck shellcheck -x -P SCRIPTDIR -P deploy/dev "${SCRIPTS[@]}"
step env.example env_example_is_current
step settings.md settings_doc_is_current
step metrics.md metrics_doc_is_current
step alert-rules rules_are_good
step dashboards node deploy/dev/dashboards.mjs --check
step kubernetes node --test tests/suite/kubernetes-files.test.js
step api-docs node tests/contract/lint.js
step contract.md contract_doc_is_current

((${#FAILED[@]} == 0)) || die "failed: ${FAILED[*]}"
