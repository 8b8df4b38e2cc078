# shellcheck shell=bash
# Sourced by the scripts of this folder. They need PostgreSQL's own programs and
# DATABASE_URL, nothing else of this checkout.

set -euo pipefail
umask 077

say() { printf '%s\n' "$*"; }
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

need() {
	for program in "$@"; do
		command -v "$program" >/dev/null 2>&1 || die "$program is not installed (Debian: postgresql-client)"
	done
}

# unescaped TEXT: %41 becomes A. A backslash stays one.
unescaped() {
	local text=${1//\\/\\\\}
	printf '%b' "${text//%/\\x}"
}

# take_url: sets URL to DATABASE_URL. A password in it goes into the environment:
# a command line can be read by everybody on the machine.
take_url() {
	local password

	URL=${DATABASE_URL-}
	[[ -n "$URL" ]] || die "DATABASE_URL is not set"
	password=$(printf '%s' "$URL" | sed -nE 's#^postgres(ql)?://[^:@/?]*:([^@/]*)@.*#\2#p')
	[[ -n "$password" ]] || return 0
	PGPASSWORD=$(unescaped "$password")
	export PGPASSWORD
	URL=$(printf '%s' "$URL" | sed -E 's#^(postgres(ql)?://[^:@/?]*):[^@/]*@#\1@#')
}

ask() { psql -XAtq -v ON_ERROR_STOP=1 -d "$URL" "$@"; }
