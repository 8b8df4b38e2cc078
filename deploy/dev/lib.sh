# shellcheck shell=bash
# Sourced by every script of this folder: where things are, what is set, how to
# speak. No function here starts or stops anything.
# shellcheck disable=SC2034  # what is set here is read by the scripts

set -eEuo pipefail

# A command that ends a script without a word of its own is named at least.
trap 'printf "error: %s, line %s: this failed: %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND" >&2' ERR

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
CATALOGUE=$ROOT/services/common/settings.def
ENV_FILE=$ROOT/.env

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# ---- settings ---------------------------------------------------------------
# One place knows every name and default: services/common/settings.def. The
# scripts need only a few values, but must see them as the daemons do: the
# environment wins over .env, .env wins over the default.

declare -A DEFAULTS=() FROM_FILE=()
SETTINGS=() # every name, in the catalogue's order

load_catalogue() {
	local name default

	while IFS=$'\t' read -r name default; do
		SETTINGS+=("$name")
		DEFAULTS[$name]=$default
	done < <(tr '\n\t' '  ' <"$CATALOGUE" |
		grep -oE 'SETTING\([A-Z]+, *[a-z0-9_]+, *"[A-Z0-9_]+", *"[^"]*"' |
		sed -E 's/^[^"]*"([A-Z0-9_]+)", *"(.*)"$/\1\t\2/')
	((${#SETTINGS[@]} > 0)) || die "no settings found in $CATALOGUE"
}

# The same rules as services/common/config.c: quotes are taken off; without
# them a comment after a blank ends the value.
env_file_value() {
	local value=$1

	if [[ $value =~ ^\"([^\"]*)\" || $value =~ ^\'([^\']*)\' ]]; then
		value=${BASH_REMATCH[1]}
	else
		value=${value%%[[:space:]]#*}
		value=${value%"${value##*[![:space:]]}"}
	fi
	printf '%s' "$value"
}

load_env_file() {
	local line name value

	[[ -f $ENV_FILE ]] || return 0
	while IFS= read -r line || [[ -n $line ]]; do
		line=${line%$'\r'}
		[[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)[[:space:]]*=[[:space:]]*(.*)$ ]] || continue
		name=${BASH_REMATCH[2]^^}
		FROM_FILE[$name]=$(env_file_value "${BASH_REMATCH[3]}")
	done <"$ENV_FILE"
}

# is_set NAME: the environment or .env says something about it.
is_set() { [[ -v $1 || -v FROM_FILE[$1] ]]; }

# setting NAME: its value in force for a stack that starts now.
setting() {
	if [[ -v $1 ]]; then
		printf '%s' "${!1}"
	elif [[ -v FROM_FILE[$1] ]]; then
		printf '%s' "${FROM_FILE[$1]}"
	else
		printf '%s' "${DEFAULTS[$1]-}"
	fi
}

# split_address ADDRESS: sets HOST and PORT. An address is host:port, maybe with a
# scheme before and a path behind it. One that listens everywhere is asked on
# this machine.
split_address() {
	local address=${1##*://}

	address=${address%%/*}
	PORT=${address##*:}
	HOST=${address%:*}
	HOST=${HOST#\[}
	HOST=${HOST%\]}
	case $HOST in
	0.0.0.0 | '*') HOST=127.0.0.1 ;;
	::) HOST=::1 ;;
	esac
}

# url_of ADDRESS: where this machine reaches it.
url_of() {
	split_address "$1"
	[[ $HOST != *:* ]] || HOST="[$HOST]"
	printf 'http://%s:%s' "$HOST" "$PORT"
}

# port_taken HOST PORT: something accepts connections there.
port_taken() { { : 3<>"/dev/tcp/$1/$2"; } 2>/dev/null; }

# wait_until SECONDS COMMAND...: asks again until it succeeds or time is up.
wait_until() {
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

random_hex() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# masked URL: a connection string that may be shown.
masked() { sed -E 's#(://[^:@/]*):[^@]*@#\1:***@#; s#(password=)[^ &]*#\1***#g' <<<"$1"; }

load_catalogue
load_env_file

# ---- the folder a running stack writes to ------------------------------------

VAR=$(setting ALP_VAR)
[[ $VAR == /* ]] || VAR=$ROOT/$VAR
BUILD=${BUILD:-release}
BIN=$ROOT/build/$BUILD/services

need_var() {
	mkdir -p "$VAR" 2>/dev/null || true
	[[ -w $VAR ]] ||
		die "$VAR is not writable for $(id -un); was it made by another user? (ALP_VAR chooses another folder)"
	VAR=$(cd "$VAR" && pwd -P)
}

# One make target at a time changes this stack. False: another one still does.
take_lock() {
	exec 9>"$VAR/lock"
	flock -w 120 9
}

# locked COMMAND...: under the lock. Descriptor 9 is closed for everything that
# stays behind, else the lock would never end.
locked() {
	need_var
	take_lock || die "another make target still works on $VAR"
	"$@"
	flock -u 9
	exec 9>&-
}

# Where make deps puts it when the machine has none.
PROMTOOL=$ROOT/var/promtool/promtool

# ---- Node ---------------------------------------------------------------------
# Vite needs 20.19 or newer. Where the distribution's is older, make deps puts
# one from the npm registry into var/node, and that one goes first.

OWN_NODE=$ROOT/var/node/node_modules/node/bin
if [[ -x $OWN_NODE/node ]]; then
	PATH=$OWN_NODE:$PATH
fi

node_new_enough() {
	have node && node -e '
		const [major, minor] = process.versions.node.split(".").map(Number);
		process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1);'
}
