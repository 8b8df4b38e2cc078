# shellcheck shell=bash
# Sourced after lib.sh and env.sh: services under runit, privately. Every
# service of this stack is a folder below $VAR/service with its own runsv; the
# system's init and its services are not touched.

SERVICES=$VAR/service
LOGS_DIR=$VAR/log

supervised() { sv status "$SERVICES/$1" >/dev/null 2>&1; }
service_names() {
	local name

	for name in pg model-sim store chat $(cd "$SERVICES" 2>/dev/null && printf '%s\n' ai-* | sort -V) gateway frontend; do
		[[ ! -d $SERVICES/$name ]] || printf '%s\n' "$name"
	done
}
service_pid() { cat "$SERVICES/$1/supervise/pid" 2>/dev/null || true; }
# service_change NAME: when it started or ended last, as a name for that moment. A short life is seen by nothing else.
service_change() { stat -c %y "$SERVICES/$1/supervise/status" 2>/dev/null || true; }
service_up() { [[ -s $SERVICES/$1/supervise/pid ]]; }

# service_uptime NAME: seconds since its last start.
service_uptime() {
	sv status "$SERVICES/$1" 2>/dev/null | sed -nE 's/^run: [^)]*\) ([0-9]+)s.*/\1/p'
}

# A stack runs when one of its daemons is supervised; a database alone is none.
daemon_names() { service_names | grep -vx pg || true; }
stack_running() { daemon_names | grep -qvx frontend; }

last_log() { tail -n "${2:-20}" "$LOGS_DIR/$1/current" 2>/dev/null || true; }

# write_service NAME: makes its folder; the shell text that becomes the service
# comes on standard input and ends in an exec.
write_service() {
	local dir log

	dir=$SERVICES/$1
	log=$LOGS_DIR/$1
	mkdir -p "$dir/log" "$log"
	printf 's10485760\nn5\n' >"$log/config" # ten megabytes, five old files
	{
		printf '#!/bin/bash\nexec 2>&1\ncd %q || exit 1\n' "$ROOT"
		cat
	} >"$dir/run"
	printf '#!/bin/sh\nexec svlogd %q\n' "$log" >"$dir/log/run"
	chmod +x "$dir/run" "$dir/log/run"
}

# write_daemon NAME ALP-PROGRAM [NAME=VALUE...]: one of ours, with the stack's
# environment. The open-file limit goes up as far as allowed, within reason.
write_daemon() {
	local name=$1 program=$2 extra

	shift 2
	printf -v extra '%q ' env "$@"
	write_service "$name" <<-EOS
		hard=\$(ulimit -Hn)
		[[ \$hard == unlimited || \$hard -gt 65536 ]] && hard=65536
		ulimit -Sn "\$hard"
		exec chpst -e $(printf '%q' "$ENV_DIR") $extra $(printf '%q' "$BIN/${program#alp-}/$program")
	EOS
}

# start_service NAME: runs it, whether or not it ran before. runsv leaves our
# terminal and process group, and inherits no setting of this shell: the
# stack's own come from its folder. A crashed service is back within a second.
start_service() {
	local dir unset=() name

	dir=$SERVICES/$1
	if supervised "$1"; then
		sv up "$dir" >/dev/null
		return
	fi
	for name in "${SETTINGS[@]}" MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES BUILD; do
		unset+=(-u "$name")
	done
	(cd / && exec setsid -f env "${unset[@]}" runsv "$dir" </dev/null >>"$LOGS_DIR/runsv.log" 2>&1 9>&-)
	wait_until 5 supervised "$1" || die "runsv does not start for $1: $(tail -n 3 "$LOGS_DIR/runsv.log")"
}

# stop_services SECONDS NAME...: all at once, each gets that long to drain, then
# is killed. Their folders go, the logs stay.
stop_services() {
	local seconds=$1 name dirs=()

	shift
	for name in "$@"; do
		supervised "$name" && dirs+=("$SERVICES/$name")
	done
	if ((${#dirs[@]} > 0)); then
		sv -w "$seconds" force-shutdown "${dirs[@]}" >/dev/null ||
			warn "not everything stopped within $seconds s and was killed: ${dirs[*]##*/}"
	fi
	for name in "$@"; do
		rm -rf "${SERVICES:?}/$name"
	done
}
