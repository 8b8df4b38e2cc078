#!/usr/bin/env bash
# The database: db.sh up|down|reset|reset-force|migrate|migrate-dry-run|backup FILE|restore FILE|reset-password EMAIL

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/services.sh"
. "$(dirname "$0")/pg.sh"

STORE=$BIN/store/alp-store
OPS=$ROOT/deploy/ops

store_tool() {
	[[ -x $STORE ]] || die "${STORE#"$ROOT"/} is not built; run make build"
	! stack_running || use_env_dir
	database_up
	export_secrets
	(cd "$ROOT" && "$STORE" "$@")
}

migrate() {
	store_tool --migrate
	say "the schema is current"
}

# The store keeps the schema it has found at its start, so a stack that runs is
# stopped around this and started again.
reset() {
	local ran=0 daemons

	if stack_running; then
		ran=1
		use_env_dir
		mapfile -t daemons < <(daemon_names)
		stop_services 15 "${daemons[@]}"
	fi
	database_recreate
	say "the database is empty now"
	[[ ! -x $STORE ]] || migrate
	((ran == 0)) || say "the stack was stopped for this; start it again with make up"
}

confirm() {
	local url answer

	url=$(setting DATABASE_URL)
	say "This deletes every user, track and dialogue in the database ($(masked "${url:-the private one in $VAR}"))."
	read -r -p "Type yes to go on: " answer || answer=
	[[ $answer == yes ]] || die "nothing was changed"
}

# backup [FILE]: of what this stack uses, also while it runs.
backup() {
	local file=${1:-$VAR/backup/$(date -u +%Y-%m-%d-%H%M%S).dump}

	! stack_running || use_env_dir
	database_up
	mkdir -p "$(dirname "$file")"
	"$OPS/backup.sh" "$file"
}

# restore FILE: into this stack's database, which must be new and unused.
restore() {
	[[ -f ${1-} ]] || die "which backup? make restore FILE=..."
	! stack_running || die "the stack runs; make stop-all, then restore into a new database (ALP_VAR or DATABASE_URL)"
	database_up
	"$OPS/restore.sh" "$1"
}

# reset_password EMAIL: a link to set a new password, behind the address of the page.
reset_password() {
	local link

	[[ -n ${1-} ]] || die "whose? make reset-password EMAIL=name@example.org"
	! stack_running || use_env_dir
	database_up >&2 # here, so that a server that starts does not hold the pipe
	link=$(store_tool --password-reset "$1" | tail -n 1)
	say "$(url_of "$(setting GATEWAY_LISTEN)")$link"
}

case ${1-} in
up) locked database_up ;;
down) locked database_down ;;
migrate) locked migrate ;;
migrate-dry-run) locked store_tool --dry-run ;;
reset)
	confirm
	locked reset
	;;
reset-force) locked reset ;;
backup) locked backup "${2-}" ;;
restore) locked restore "${2-}" ;;
reset-password) locked reset_password "${2-}" ;;
*) die "usage: db.sh up|down|reset|reset-force|migrate|migrate-dry-run|backup|restore|reset-password" ;;
esac
