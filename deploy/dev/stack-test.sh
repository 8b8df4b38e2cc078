#!/usr/bin/env bash
# docker-compose.yml for real: builds the images, starts the stack, and does to it
# what tests/stack/stack.test.js says.
#
# A Docker engine that answers is used. Where none does, root gets a private one
# from Debian's packages, and where that one reaches no registry, images that
# stand in for the official ones (tests/stack/standin). It ends with the test.

. "$(dirname "$0")/lib.sh"

ENGINE_SECONDS=60
PULL_SECONDS=120
KEPT=$VAR/stack-test # what takes minutes to make: the base image, Compose
STANDIN=$ROOT/tests/stack/standin
ENGINE= # folder of the private engine, while there is one

engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Debian's mirror as this machine's apt knows it.
mirror() {
	# shellcheck disable=SC2016  # apt's own word
	apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | sed -n 1p
}

# ---- the engine ------------------------------------------------------------------

packages() {
	local missing

	mapfile -t missing < <(comm -23 <(printf '%s\n' "$@" | sort) \
		<(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p' | sort))
	((${#missing[@]} == 0)) ||
		DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

start_engine() {
	((EUID == 0)) || die "no Docker engine answers; as root this test starts one of its own"
	say "no Docker engine answers: starting a private one"
	packages docker.io iptables mmdebstrap nftables
	ENGINE=$(mktemp -d)
	cat >"$ENGINE/daemon.json" <<-EOS
		{"data-root": "$ENGINE/data", "exec-root": "$ENGINE/exec", "pidfile": "$ENGINE/pid",
		"hosts": ["unix://$ENGINE/sock"], "storage-driver": "overlay2", "log-level": "warn",
		"bip": "198.18.0.1/24", "default-address-pools": [{"base": "198.19.0.0/16", "size": 24}]}
	EOS
	setsid dockerd --config-file "$ENGINE/daemon.json" >"$ENGINE/log" 2>&1 </dev/null &
	trap stop_engine EXIT
	export DOCKER_HOST=unix://$ENGINE/sock
	PATH=/usr/bin:$PATH # Debian's client, of the engine's version
	hash -r
	wait_until "$ENGINE_SECONDS" engine_answers || {
		tail -n 20 "$ENGINE/log" >&2
		die "the private Docker engine does not start"
	}
}

gone() { ! kill -0 "$1" 2>/dev/null; }

stop_engine() {
	local pid

	set +e
	trap - ERR
	pid=$(cat "$ENGINE/pid" 2>/dev/null)
	if [[ -n $pid ]]; then
		kill "$pid"
		wait_until 30 gone "$pid" || kill -9 "$pid"
	fi
	ip link del docker0 2>/dev/null
	rm -rf "$ENGINE"
}

# ---- Compose ---------------------------------------------------------------------

compose_works() { docker compose version >/dev/null 2>&1; }

# Debian 12 has no plugin; Debian 13's is one static program that runs here too.
fetch_compose() {
	local lists=$KEPT/apt options

	say "fetching Docker Compose from Debian 13"
	mkdir -p "$lists/lists/partial" "$lists/archives/partial" "$KEPT/cli-plugins"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) trixie main" >"$lists/sources.list"
	options=(-qq -o "Dir::Etc::sourcelist=$lists/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$lists/lists"
		-o "Dir::Cache::archives=$lists/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
	apt-get "${options[@]}" update
	(
		cd "$lists"
		apt-get "${options[@]}" download docker-compose docker-buildx
		for package in *.deb; do
			dpkg -x "$package" x
		done
	)
	cp "$lists"/x/usr/libexec/docker/cli-plugins/* "$KEPT/cli-plugins/"
	rm -rf "$lists"
}

need_compose() {
	! compose_works || return 0
	((EUID == 0)) || die "docker compose is missing; as root this test fetches it from Debian's packages"
	[[ -x $KEPT/cli-plugins/docker-compose ]] || fetch_compose
	export DOCKER_CONFIG=$KEPT
	compose_works || die "docker compose does not run: $(docker compose version 2>&1)"
}

# ---- images ------------------------------------------------------------------------

has_image() { docker image inspect "$1" >/dev/null 2>&1; }
pulled() { timeout "$PULL_SECONDS" docker pull -q "$1" >/dev/null 2>&1; }

standin_debian() {
	local tar=$KEPT/trixie.tar

	if [[ ! -s $tar ]]; then
		mmdebstrap --quiet --format=tar --variant=minbase --include=ca-certificates --dpkgopt=force-unsafe-io trixie "$tar.new" "$(mirror)"
		mv "$tar.new" "$tar"
	fi
	docker import -c 'CMD ["bash"]' "$tar" debian:trixie-slim >/dev/null
}

standin_node() {
	local context=$KEPT/node

	[[ -x $context/node_modules/node/bin/node ]] ||
		npm install --prefix "$context" --no-audit --no-fund --no-save --silent node@22 npm@10
	cp /etc/ssl/certs/ca-certificates.crt "$context/ca.crt"
	docker build -q -t node:22-trixie-slim -f "$STANDIN/node.Dockerfile" "$context" >/dev/null
}

# need_image NAME STANDIN-COMMAND...: there already, pulled, or made here, the
# latter in a private engine only: nobody else's shall find a false postgres:17.
need_image() {
	local image=$1

	shift
	if has_image "$image" || { [[ -z ${OFFLINE-} ]] && pulled "$image"; }; then
		return 0
	fi
	[[ -n $ENGINE ]] || die "$image can not be pulled"
	OFFLINE=1
	say "$image can not be pulled: making one that stands in for it"
	"$@"
	STOOD_IN+=" $image"
}

standin() { docker build -q -t "$1" -f "$STANDIN/$2.Dockerfile" "$STANDIN" >/dev/null; }

# ---------------------------------------------------------------------------------------

need_var
mkdir -p "$KEPT"
"$ROOT/deploy/dev/npm.sh" tests
engine_answers || start_engine
need_compose
STOOD_IN=
need_image debian:trixie-slim standin_debian
need_image node:22-trixie-slim standin_node
need_image postgres:17 standin postgres:17 postgres
need_image haproxy:3.2 standin haproxy:3.2 haproxy
say "Docker $(docker version --format '{{.Server.Version}}'), Compose $(docker compose version --short)${STOOD_IN:+, standing in:$STOOD_IN}"
export DOCKER_BUILDKIT=1 STACK_OFFLINE=${OFFLINE-}
"$ROOT/deploy/dev/node.sh" --test --test-reporter=spec --test-concurrency=1 tests/stack/stack.test.js tests/stack/drill.test.js
