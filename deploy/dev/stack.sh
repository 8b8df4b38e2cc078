#!/usr/bin/env bash
# The stack of this checkout, or of ALP_VAR:
#   stack.sh up|stop|restart|status|dev|dev-all|frontend-dev|logs

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/services.sh"
. "$(dirname "$0")/pg.sh"

READY_SECONDS=60
CHANGES_MAX=8 # starts and ends of one service before it counts as broken
WORKERS_MAX=64
BUS_ADDRESSES=(BUS_CHAT BUS_STORE BUS_WORK BUS_DELTA BUS_CONTROL BUS_EVENT)

# ---- addresses -----------------------------------------------------------------

# Worker 1 has AI_HEALTH, each further one the next port.
worker_health() {
	local base
	base=$(setting AI_HEALTH)
	split_address "$base"
	printf '%s:%s' "${base%:*}" "$((PORT + $1 - 1))"
}

# probe_url NAME: answers 200 when the service is ready.
probe_url() {
	case $1 in
	store | chat | gateway) printf '%s/readyz' "$(url_of "$(setting "${1^^}_HEALTH")")" ;;
	ai-*) printf '%s/readyz' "$(url_of "$(worker_health "${1#ai-}")")" ;;
	model-sim) printf '%s/__sim' "$(url_of "$(setting SIM_LISTEN)")" ;;
	frontend) printf 'http://127.0.0.1:%s/' "$(setting FRONTEND_PORT)" ;;
	esac
}

# readiness NAME: ready, or what it says instead.
readiness() {
	local code

	if [[ $1 == pg ]]; then
		find_pg_home
		cluster_answers "$(cluster_line 4)" && printf ready || printf 'not ready'
		return
	fi
	code=$(curl -s -o /dev/null -w '%{http_code}' --noproxy '*' --max-time 2 "$(probe_url "$1")") || true
	case $code in
	200) printf ready ;;
	000) printf 'no answer' ;;
	*) printf 'not ready (%s)' "$code" ;;
	esac
}

is_ready() { service_up "$1" && [[ $(readiness "$1") == ready ]]; }

# ---- start -----------------------------------------------------------------------

wanted_workers() {
	local n
	n=$(setting AI_WORKERS)
	[[ $n =~ ^[0-9]{1,2}$ && $((10#${n//[^0-9]/0})) -le $WORKERS_MAX ]] ||
		die "AI_WORKERS: a whole number from 0 to $WORKERS_MAX was expected, not '$n'"
	printf '%s' "$((10#$n))"
}

# Another stack on the same ports would answer for this one: say so before
# anything starts.
check_free() {
	local name=$1 address=$2

	split_address "$address"
	if port_taken "$HOST" "$PORT"; then
		die "$name: $address is already in use; another stack? Give this one other addresses (see deploy/env.example)"
	fi
}

check_addresses() {
	local name i

	for name in GATEWAY_LISTEN GATEWAY_HEALTH CHAT_HEALTH STORE_HEALTH "${BUS_ADDRESSES[@]}"; do
		check_free "$name" "$(setting "$name")"
	done
	for ((i = 1; i <= $1; i++)); do
		check_free "AI_HEALTH of worker $i" "$(worker_health "$i")"
	done
	[[ -z $MODEL_SIM ]] || check_free SIM_LISTEN "$MODEL_SIM"
}

check_built() {
	local name

	for name in store chat ai gateway; do
		[[ -x $BIN/$name/alp-$name ]] || die "${BIN#"$ROOT"/}/$name/alp-$name is not built; run make build"
	done
}

# A broken setting would only show as a service that restarts for ever.
check_configs() {
	local name

	for name in store chat ai gateway; do
		(cd "$ROOT" && chpst -e "$ENV_DIR" "$BIN/$name/alp-$name" --check-config) || {
			rm -rf "$ENV_DIR"
			die "alp-$name does not accept the settings (.env or environment)"
		}
	done
}

start_worker() {
	write_daemon "ai-$1" alp-ai "AI_HEALTH=$(worker_health "$1")"
	start_service "ai-$1"
}

write_model_sim() {
	write_service model-sim <<-EOS
		exec chpst -e $(printf '%q' "$ENV_DIR") $(printf '%q' "$(command -v node)") tests/fakes/model-sim.js \\
			--persona demo --listen $(printf '%q' "$MODEL_SIM")
	EOS
}

start_fresh() {
	local name workers

	check_built
	[[ -f $ENV_FILE ]] || setup_env
	workers=$(wanted_workers)
	export_secrets
	choose_model
	check_addresses "$workers"
	database_up
	write_env_dir
	printf '%s\n' "$BIN" >"$ENV_DIR.bin"
	check_configs
	if [[ -n $MODEL_SIM ]]; then
		write_model_sim
		start_service model-sim
	fi
	for name in store chat gateway; do
		write_daemon "$name" "alp-$name"
		start_service "$name"
	done
	scale "$workers"
}

warn_of_differences() {
	local name

	for name in "${SETTINGS[@]}"; do
		case $name in AI_WORKERS | ALP_VAR) continue ;; esac
		[[ ! -v $name || ${!name} == "$(cat "$ENV_DIR/$name" 2>/dev/null)" ]] ||
			warn "$name differs from what the stack was started with; make restart applies it"
	done
}

# scale N: workers 1 to N run, the others drain and end; nobody else is touched.
scale() {
	local workers=$1 name i surplus=()

	for name in $(daemon_names); do
		if [[ $name == ai-* ]] && ((${name#ai-} > workers)); then
			surplus+=("$name")
		fi
	done
	((${#surplus[@]} == 0)) || stop_services "$(drain_seconds)" "${surplus[@]}"
	for ((i = 1; i <= workers; i++)); do
		supervised "ai-$i" && continue
		check_free "AI_HEALTH of worker $i" "$(worker_health "$i")"
		start_worker "$i"
	done
}

# A stack that runs keeps its settings; only AI_WORKERS of this shell counts.
adjust_running() {
	local asked=${AI_WORKERS-} name

	warn_of_differences
	use_env_dir
	BIN=$(<"$ENV_DIR.bin")
	if [[ -n $asked ]]; then
		export AI_WORKERS=$asked
		wanted_workers >/dev/null
		printf '%s\n' "$asked" >"$ENV_DIR/AI_WORKERS"
	fi
	database_up
	for name in $(daemon_names); do
		start_service "$name"
	done
	scale "$(wanted_workers)"
}

give_up() {
	say "---- the last lines of $1 (${LOGS_DIR#"$ROOT"/}/$1/current):" >&2
	last_log "$1" >&2
	die "$1 $2"
}

# wait_ready: until every service answers, or the one that does not is shown. One
# that ends again and again is not waited for.
wait_ready() {
	local name change last changes end=$((SECONDS + READY_SECONDS))

	for name in $(daemon_names); do
		last='' changes=0
		until is_ready "$name"; do
			change=$(service_change "$name")
			if [[ $change != "$last" ]]; then
				last=$change
				((++changes))
			fi
			((changes <= CHANGES_MAX)) || give_up "$name" "does not stay up"
			((SECONDS < end)) || give_up "$name" "is not ready after $READY_SECONDS s: $(readiness "$name")"
			sleep 0.1
		done
	done
}

start_stack() {
	if stack_running; then
		adjust_running
	else
		start_fresh
	fi
	wait_ready
}

announce() {
	say ""
	say "  open      $(url_of "$(setting GATEWAY_LISTEN)")"
	! supervised frontend || say "  dev page  http://localhost:$(setting FRONTEND_PORT) (Vite, reloads on change)"
	say "  model     $(model_line)"
	say "  workers   $(wanted_workers)"
	say "  logs      make logs      stop: make stop-all"
	say ""
}

# ---- stop ------------------------------------------------------------------------

drain_seconds() { printf '%s' "$(($(setting DRAIN_MS) / 1000 + 5))"; }

stop_daemons() {
	local names

	! stack_running || use_env_dir
	mapfile -t names < <(daemon_names)
	((${#names[@]} == 0)) || stop_services "$(drain_seconds)" "${names[@]}"
	rm -rf "$ENV_DIR" "$ENV_DIR.bin"
}

stop_all() {
	stop_daemons
	stop_services 60 pg
	say "stopped"
}

# ---- the frontend's development server ---------------------------------------------

start_frontend() {
	local vite=$ROOT/frontend/node_modules/vite/bin/vite.js

	[[ -f $vite ]] || die "the frontend's packages are missing; run make frontend-install"
	supervised frontend || check_free FRONTEND_PORT "127.0.0.1:$(setting FRONTEND_PORT)"
	write_service frontend <<-EOS
		cd frontend || exit 1
		export GATEWAY_LISTEN=$(printf '%q' "$(setting GATEWAY_LISTEN)")
		export FRONTEND_PORT=$(printf '%q' "$(setting FRONTEND_PORT)")
		exec $(printf '%q' "$(command -v node)") node_modules/vite/bin/vite.js --clearScreen false
	EOS
	start_service frontend
	wait_until "$READY_SECONDS" is_ready frontend || {
		last_log frontend >&2
		die "the frontend's development server does not answer"
	}
}

# ---- in the foreground ----------------------------------------------------------------

FOLLOWERS=()

# follow LINES NAME...: every line with its service in front.
follow() {
	local lines=$1 name

	shift
	for name in "$@"; do
		touch "$LOGS_DIR/$name/current"
		tail -n "$lines" --pid=$$ -F "$LOGS_DIR/$name/current" 2>/dev/null > >(
			trap '' INT # Ctrl-C is for the stack; its last lines are still wanted
			exec sed -u "s/^/$(printf '%-9s' "$name") | /"
		) &
		FOLLOWERS+=($!)
	done
}

# hold NAME: until somebody stops that service, or Ctrl-C ends this script.
hold() {
	while supervised "$1"; do
		sleep 1
	done
	say "$1 was stopped from elsewhere"
}

# What runs already when a foreground target begins is left running by it.
KEEP=()
remember() { mapfile -t KEEP < <(service_names); }
is_kept() { [[ " ${KEEP[*]} " == *" $1 "* ]]; }

leave() {
	local name ours=()

	trap '' INT TERM HUP PIPE
	set +e
	say "stopping ..."
	# who stops it from elsewhere is waited for: two at once would take each other's services for stuck
	take_lock || warn "another make target still works on $VAR"
	for name in $(daemon_names); do
		is_kept "$name" || ours+=("$name")
	done
	((${#ours[@]} == 0)) || stop_services "$(drain_seconds)" "${ours[@]}"
	if ! stack_running; then
		rm -rf "$ENV_DIR" "$ENV_DIR.bin"
		is_kept pg || stop_services 60 pg
	fi
	((${#KEEP[@]} == 0)) || say "left running, as they were: ${KEEP[*]}"
	((${#FOLLOWERS[@]} == 0)) || kill "${FOLLOWERS[@]}" 2>/dev/null
	say "stopped"
}

foreground() {
	remember
	trap leave EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

dev() {
	foreground
	locked start_stack
	announce
	mapfile -t names < <(daemon_names)
	follow 0 "${names[@]}"
	hold gateway
}

dev_all() {
	foreground
	locked start_stack
	locked start_frontend
	announce
	mapfile -t names < <(daemon_names)
	follow 0 "${names[@]}"
	hold gateway
}

frontend_dev() {
	! stack_running || use_env_dir
	foreground
	locked start_frontend
	say "dev page  http://localhost:$(setting FRONTEND_PORT), API and sockets from $(url_of "$(setting GATEWAY_LISTEN)")"
	follow 0 frontend
	hold frontend
}

logs() {
	local names=("$@") name

	((${#names[@]} > 0)) || mapfile -t names < <(cd "$LOGS_DIR" 2>/dev/null && printf '%s\n' */ | tr -d /)
	for name in "${names[@]}"; do
		[[ -d $LOGS_DIR/$name ]] || die "there is no log of '$name' in $LOGS_DIR"
	done
	follow 20 "${names[@]}"
	wait
}

# ---- status ---------------------------------------------------------------------------

span() {
	local s=${1:-0}

	if ((s < 60)); then
		printf '%ds' "$s"
	elif ((s < 3600)); then
		printf '%dm%02ds' $((s / 60)) $((s % 60))
	else
		printf '%dh%02dm' $((s / 3600)) $((s % 3600 / 60))
	fi
}

row() { printf '%-10s %-8s %-8s %s\n' "$@"; }

# What a daemon's /healthz says in one line: its numbers, what it lacks, warnings.
HEALTH_LINE='
	[.version] +
	[(.dependencies // {}) | to_entries[] | select(.value != "up") | "\(.key): \(.value)"] +
	[(.warnings // [])[]] +
	[to_entries[] | select((.value | type) == "number" and .key != "uptime_s" and (.value > 0 or (.key | test("running|waiting|workers|busy")))) |
		"\(.key)=\(.value)"] |
	map(select(. != null)) | join("  ")'

health_of() {
	local url

	url=$(probe_url "$1")
	[[ $url == */readyz ]] || return 0
	curl -s --noproxy '*' --max-time 2 "${url%/readyz}/healthz" 2>/dev/null |
		jq -r "$HEALTH_LINE" 2>/dev/null || true
}

external_database() {
	local url
	url=$(setting DATABASE_URL)
	[[ -n $url ]] || return 0
	if answers "$url"; then
		row database - - "ready (not ours: $(masked "$url"))"
	else
		row database - - "no answer ($(masked "$url"))"
	fi
}

status() {
	local name state detail bad=0 names

	! stack_running || use_env_dir
	mapfile -t names < <(service_names)
	row service pid uptime "readyz, healthz"
	supervised pg || external_database
	for name in "${names[@]}"; do
		state=$(readiness "$name")
		[[ $state == ready ]] || bad=1
		if service_up "$name"; then
			detail=$(health_of "$name")
			row "$name" "$(service_pid "$name")" "$(span "$(service_uptime "$name")")" "$state${detail:+  $detail}"
		else
			row "$name" - - "down, starting again"
		fi
	done
	for name in store chat ai-1 gateway; do
		[[ -d $SERVICES/$name ]] || row "$name" - - down
	done
	if ! stack_running; then
		say "the stack does not run (make up, make dev-all)"
		return 1
	fi
	say "open $(url_of "$(setting GATEWAY_LISTEN)")   model: $(model_line)"
	return "$bad"
}

# ---------------------------------------------------------------------------------------

command=${1-}
(($# == 0)) || shift
case $command in
up)
	locked start_stack
	announce
	;;
stop) locked stop_all ;;
restart)
	(locked stop_daemons) # apart: it takes over the old stack's settings
	exec "$0" up
	;;
status) status || exit 1 ;;
dev) dev ;;
dev-all) dev_all ;;
frontend-dev) frontend_dev ;;
logs) logs "$@" ;;
*) die "usage: stack.sh up|stop|restart|status|dev|dev-all|frontend-dev|logs" ;;
esac
