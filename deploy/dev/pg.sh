# shellcheck shell=bash
# Sourced after services.sh: the database of this stack. Three cases:
#   DATABASE_URL is set and a server answers there: that one is used
#   it names this machine and nothing answers: a private cluster listens there
#   it is not set: a private cluster, reached over a unix socket only

PG_USER=user # the seed's names, so that setting its DATABASE_URL later keeps the data
PG_DATABASE=ai_learning_platform
SOCKET_PATH_MAX=107

# ---- connection strings -------------------------------------------------------

url_encode() {
	local text=$1 out='' c i

	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		[[ $c == [A-Za-z0-9._~/-] ]] || printf -v c '%%%02X' "'$c"
		out+=$c
	done
	printf '%s' "$out"
}

url_decode() {
	local text=${1//\\/\\\\}
	printf '%b' "${text//%/\\x}"
}

keyword_of() { sed -nE "s/(^|.* )$1 *= *('([^']*)'|([^ ']*)).*/\3\4/p" <<<"$2"; }

parse_url_query() {
	local pair

	for pair in ${1//&/ }; do
		case $pair in
		host=*) DB_HOST=$(url_decode "${pair#*=}") ;;
		port=*) DB_PORT=${pair#*=} ;;
		user=*) DB_USER=$(url_decode "${pair#*=}") ;;
		password=*) DB_PASSWORD=$(url_decode "${pair#*=}") ;;
		esac
	done
}

# parse_url URL: DB_HOST DB_PORT DB_USER DB_PASSWORD DB_NAME, empty where the
# URL says nothing; DB_ADMIN_URL is the same with the database 'postgres'.
parse_url() {
	local url=$1
	local uri='^(postgres(ql)?://)(([^:@/]*)(:([^@/]*))?@)?(\[[^]]*\]|[^:/?,]*)(:([0-9]+))?(/([^?]*))?(\?.*)?$'

	if [[ $url =~ $uri ]]; then
		DB_USER=$(url_decode "${BASH_REMATCH[4]}")
		DB_PASSWORD=$(url_decode "${BASH_REMATCH[6]}")
		DB_HOST=$(url_decode "${BASH_REMATCH[7]}")
		DB_PORT=${BASH_REMATCH[9]}
		DB_NAME=$(url_decode "${BASH_REMATCH[11]}")
		DB_ADMIN_URL=${BASH_REMATCH[1]}${BASH_REMATCH[3]}${BASH_REMATCH[7]}${BASH_REMATCH[8]}/postgres${BASH_REMATCH[12]}
		parse_url_query "${BASH_REMATCH[12]#\?}"
	elif [[ $url == *=* && $url != *://* ]]; then
		DB_USER=$(keyword_of user "$url")
		DB_PASSWORD=$(keyword_of password "$url")
		DB_HOST=$(keyword_of host "$url")
		DB_PORT=$(keyword_of port "$url")
		DB_NAME=$(keyword_of dbname "$url")
		DB_ADMIN_URL="$url dbname=postgres"
	else
		die "DATABASE_URL is not a PostgreSQL connection string (postgresql://user:password@host:port/database)"
	fi
	DB_NAME=${DB_NAME:-$DB_USER}
}

answers() { pg_isready -q -t 3 -d "$1"; }

# is_local: the parsed URL names this machine over TCP.
is_local() { [[ $DB_HOST =~ ^(localhost|127\.[0-9.]+|\[::1\]|::1)$ ]]; }

# ---- where the private cluster lives, and as whom it runs ---------------------

# The server refuses to run as root. Root's cluster belongs to 'postgres', who
# must be able to enter the folder; a cluster made earlier keeps its owner.
pg_owner() {
	if [[ -d $PG_HOME/data ]]; then
		stat -c %U "$PG_HOME/data"
	elif ((EUID == 0)); then
		printf postgres
	else
		id -un
	fi
}

as_owner() {
	local owner

	owner=$(pg_owner)
	if [[ $owner == "$(id -un)" ]]; then
		(cd / && "$@")
	else
		((EUID == 0)) || die "the database in $PG_HOME belongs to $owner; run this as $owner or root"
		(cd / && setpriv --reuid="$owner" --regid="$(id -g "$owner")" --init-groups -- "$@")
	fi
}

pg_home_fits() {
	local probe=$1/socket/.s.PGSQL.65535

	((${#probe} <= SOCKET_PATH_MAX)) || return 1
	((EUID != 0)) || (cd / && setpriv --reuid=postgres --regid=postgres --init-groups -- test -x "$1")
}

# make_private_dir DIR: for the cluster's owner alone. In a folder that everyone
# can write to, only one that is really ours is taken.
make_private_dir() {
	mkdir -m 0700 "$1" 2>/dev/null || true
	[[ -d $1 && ! -L $1 ]] || die "$1 is not a folder"
	if ((EUID == 0)) && [[ $(stat -c %U "$1") == root ]]; then
		chown postgres: "$1"
	fi
	chmod 0700 "$1" 2>/dev/null || die "$1 belongs to $(stat -c %U "$1")"
}

# A short path that the server's user can enter. Not below /var/tmp: there old
# files are cleaned away on Debian 13.
pg_home_elsewhere() {
	local base=${XDG_STATE_HOME:-${HOME:?}/.local/state}

	((EUID != 0)) || base=/var/lib
	mkdir -p "$base"
	printf '%s/alp-%s' "$base" "$(printf '%s' "$VAR" | sha256sum | cut -c 1-8)"
}

# find_pg_home: sets PG_HOME. Below $VAR where that works; else elsewhere, and
# remembered, so that it stays the same.
find_pg_home() {
	need_var
	if [[ -s $VAR/pg.location ]]; then
		PG_HOME=$(<"$VAR/pg.location")
	else
		PG_HOME=$VAR/pg
	fi
	[[ -d $PG_HOME/data ]] && return 0
	((EUID != 0)) || getent passwd postgres >/dev/null || die "there is no user 'postgres'; run make deps"
	make_private_dir "$PG_HOME"
	pg_home_fits "$PG_HOME" && return 0
	rmdir "$PG_HOME"
	PG_HOME=$(pg_home_elsewhere)
	make_private_dir "$PG_HOME"
	pg_home_fits "$PG_HOME" || die "no place for the database; set ALP_VAR to a shorter path"
	printf '%s\n' "$PG_HOME" >"$VAR/pg.location"
	say "the database goes to $PG_HOME: the server's user cannot enter $VAR, or its socket's path would be too long"
}

# find_pg_bin: sets PG_BIN, the programs of the version that made the cluster,
# or the newest.
find_pg_bin() {
	if [[ -s $PG_HOME/data/PG_VERSION ]]; then
		PG_BIN=/usr/lib/postgresql/$(<"$PG_HOME/data/PG_VERSION")/bin
		[[ -x $PG_BIN/postgres ]] ||
			die "the database in $PG_HOME was made by PostgreSQL $(<"$PG_HOME/data/PG_VERSION"), which is not installed; install it, or start afresh with make db-reset-force"
	else
		PG_BIN=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1) || true
		[[ -x $PG_BIN/initdb ]] || die "PostgreSQL is not installed; run make deps"
	fi
}

# ---- the private cluster -------------------------------------------------------

# Made aside and moved, so that an interrupted initdb leaves nothing half done.
cluster_make() {
	[[ -d $PG_HOME/data ]] && return 0
	say "making a private PostgreSQL cluster in $PG_HOME"
	as_owner rm -rf "$PG_HOME/data.new"
	as_owner "$PG_BIN/initdb" -D "$PG_HOME/data.new" -U postgres -E UTF8 --locale=C.UTF-8 \
		--auth-local=trust --auth-host=scram-sha-256 --no-instructions >/dev/null
	as_owner mv "$PG_HOME/data.new" "$PG_HOME/data"
	as_owner mkdir -p -m 0700 "$PG_HOME/socket"
}

# What the running server said of itself: line 4 is the port, line 6 the TCP
# address (empty when it listens on none).
cluster_line() { as_owner sed -n "$1p" "$PG_HOME/data/postmaster.pid" 2>/dev/null || true; }

write_pg_service() {
	local host=$1 port=$2 user=''

	[[ $(pg_owner) == "$(id -un)" ]] || user="chpst -u $(pg_owner)"
	write_service pg <<-EOS
		cd /
		exec $user $(printf '%q' "$PG_BIN/postgres") -D $(printf '%q' "$PG_HOME/data") \\
			-k $(printf '%q' "$PG_HOME/socket") -p $port -c listen_addresses='$host'
	EOS
	# TERM would wait for every client to leave; INT ends their sessions.
	mkdir -p "$SERVICES/pg/control"
	cat >"$SERVICES/pg/control/t" <<-'EOS'
		#!/bin/sh
		exec kill -INT "$(cat supervise/pid)"
	EOS
	chmod +x "$SERVICES/pg/control/t"
}

cluster_answers() { pg_isready -q -t 3 -h "$PG_HOME/socket" -p "$1" -U postgres -d postgres; }

# cluster_listens HOST PORT: it runs and answers there. Without a HOST any port
# will do: it is only part of the socket's name.
cluster_listens() {
	supervised pg && cluster_answers "$(cluster_line 4)" || return 1
	[[ -z $1 ]] || [[ $(cluster_line 4) == "$2" && -n $(cluster_line 6) ]]
}

# cluster_start HOST PORT: HOST empty means unix socket only. A cluster that
# runs already is restarted only when it has to listen elsewhere.
cluster_start() {
	local host=$1 port=$2

	cluster_make
	if cluster_listens "$host" "$port"; then
		return 0
	fi
	[[ -z $host ]] || ! port_taken "$host" "$port" ||
		die "$host:$port (DATABASE_URL) is in use by something that is not PostgreSQL"
	if supervised pg; then
		say "restarting the database so that it listens on $host:$port"
		stop_services 60 pg
	fi
	write_pg_service "$host" "$port"
	start_service pg
	wait_until 60 cluster_answers "$port" || {
		last_log pg >&2
		die "the private PostgreSQL does not answer; its log is above (${LOGS_DIR#"$ROOT"/}/pg/current)"
	}
}

# cluster_psql: statements from standard input, as the cluster's superuser.
cluster_psql() {
	PGOPTIONS='-c client_min_messages=warning' psql -X -q -v ON_ERROR_STOP=1 \
		-h "$PG_HOME/socket" -p "$(cluster_line 4)" -U postgres -d postgres
}

# cluster_prepare ROLE PASSWORD DATABASE: exist afterwards, whatever was before.
# A database that another role of DATABASE_URL made is handed over.
cluster_prepare() {
	NEW_ROLE=$1 NEW_PASSWORD=$2 NEW_DATABASE=$3 cluster_psql <<-'EOS'
		\getenv role NEW_ROLE
		\getenv password NEW_PASSWORD
		\getenv database NEW_DATABASE
		select format('create role %I login', :'role')
		 where not exists (select from pg_roles where rolname = :'role') \gexec
		select format('alter role %I password %L', :'role', :'password')
		 where :'password' <> '' \gexec
		select format('create database %I owner %I', :'database', :'role')
		 where not exists (select from pg_database where datname = :'database') \gexec
		\connect :database
		select format('reassign owned by %I to %I', o.rolname, :'role')
		  from pg_database d join pg_roles o on o.oid = d.datdba
		 where d.datname = :'database' and o.rolname not in (:'role', 'postgres') \gexec
	EOS
}

socket_url() {
	printf 'postgresql:///%s?host=%s&port=%s&user=%s' "$PG_DATABASE" \
		"$(url_encode "$PG_HOME/socket")" "$(cluster_line 4)" "$PG_USER"
}

# names_ours: the parsed URL means this stack's private cluster, running or not.
names_ours() { [[ $DB_HOST == "$PG_HOME/socket" ]]; }

# is_ours: the server that answers at the parsed URL is that cluster.
is_ours() {
	supervised pg || return 1
	names_ours && return 0
	is_local && [[ $(cluster_line 4) == "${DB_PORT:-5432}" && -n $(cluster_line 6) ]]
}

# ---- what the commands use -----------------------------------------------------

# ensure_database URL: makes the database on a server that is not ours.
ensure_database() {
	local answer

	answer=$(psql -X -Atq -d "$1" -c 'select 1' 2>&1) && return 0
	[[ $answer == *"\"$DB_NAME\" does not exist"* && $answer == *database* ]] ||
		die "a PostgreSQL server answers at $(masked "$1") but refuses: $answer"
	say "making the database $DB_NAME on that server"
	createdb --maintenance-db="$DB_ADMIN_URL" -- "$DB_NAME"
}

database_up() {
	local url

	have pg_isready || die "the PostgreSQL client is not installed; run make deps"
	url=$(setting DATABASE_URL)
	find_pg_home
	find_pg_bin
	parse_url "${url:-postgresql:///}"
	if [[ -z $url ]] || names_ours; then
		cluster_start '' "${DB_PORT:-5432}"
		cluster_prepare "$PG_USER" '' "$PG_DATABASE"
		url=$(socket_url)
	elif answers "$url" && ! is_ours; then
		ensure_database "$url"
	elif is_local; then
		cluster_start "$DB_HOST" "${DB_PORT:-5432}"
		cluster_prepare "${DB_USER:-$PG_USER}" "$DB_PASSWORD" "$DB_NAME"
		answers "$url" || die "the private PostgreSQL runs, but does not answer at $(masked "$url")"
	else
		die "no PostgreSQL answers at $(masked "$url") (DATABASE_URL); start it, or leave DATABASE_URL unset for a private one"
	fi
	export DATABASE_URL=$url
	say "database: $(masked "$url")"
}

database_down() {
	if supervised pg; then
		stop_services 60 pg
		say "the private database is stopped"
	else
		say "no private database runs here"
	fi
}

# database_recreate: everything in it is gone. Sessions that are left are ended.
database_recreate() {
	database_up
	parse_url "$DATABASE_URL"
	if is_ours; then
		NEW_DATABASE=$DB_NAME cluster_psql <<-'EOS'
			\getenv database NEW_DATABASE
			select format('drop database if exists %I with (force)', :'database') \gexec
		EOS
		cluster_prepare "${DB_USER:-$PG_USER}" "$DB_PASSWORD" "$DB_NAME"
	else
		# force is refused to a role that may not end a worker of autovacuum; a plain drop ends those by itself, or says why not
		dropdb --if-exists --force --maintenance-db="$DB_ADMIN_URL" -- "$DB_NAME" 2>/dev/null ||
			dropdb --if-exists --maintenance-db="$DB_ADMIN_URL" -- "$DB_NAME"
		createdb --maintenance-db="$DB_ADMIN_URL" -- "$DB_NAME"
	fi
}
