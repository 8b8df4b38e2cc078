#!/usr/bin/env bash
# Installs the Debian packages that are missing: deps.sh [test] [check] [package] [package-test]
# Does nothing, quickly, when everything is there.

. "$(dirname "$0")/lib.sh"

BASE=(build-essential gcc cmake ninja-build pkg-config ccache git curl jq
	libnng-dev libwebsockets-dev libuv1-dev libcap-dev libcurl4-openssl-dev
	libpq-dev libcjson-dev libjwt-dev libsodium-dev uuid-dev libev-dev
	uthash-dev libtalloc-dev libsystemd-dev libcmocka-dev
	postgresql postgresql-client runit)
TEST=(spin chromium fonts-dejavu-core fonts-noto-color-emoji)
PACKAGE=(debhelper libcrypt-dev)
PACKAGE_TEST=(mmdebstrap systemd-container)
CHECK=(clang clang-format clang-tidy libclang-rt-dev cppcheck shellcheck)

# missing_of PACKAGE...: those not installed. A PostgreSQL server of another
# origin serves as well as the metapackage.
missing_of() {
	local there package

	there=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
		sed -n 's/ installed$//p') || true
	for package in "$@"; do
		case $package in
		postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && continue ;;
		esac
		grep -qxF "$package" <<<"$there" || printf '%s\n' "$package"
	done
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		have sudo || die "packages are missing and there is no sudo; as root: apt-get install $*"
		sudo "$@"
	fi
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -q --no-install-recommends "$@"
}

# Debian's postgresql package makes and starts a cluster of its own on port
# 5432. The stack has a private one, so the package is told not to, and the
# administrator's file is put back as it was afterwards.
install_postgresql_common() {
	local conf=/etc/postgresql-common/createcluster.conf

	[[ -f $conf ]] || apt_install postgresql-common
	[[ -f $conf ]] || return 0
	as_root cp -p "$conf" "$conf.before-alp"
	as_root sed -i -E '/^[#[:space:]]*create_main_cluster/d' "$conf"
	as_root sh -c "echo 'create_main_cluster = false' >>'$conf'"
}

restore_postgresql_common() {
	local conf=/etc/postgresql-common/createcluster.conf

	[[ -f $conf.before-alp ]] || return 0
	as_root mv "$conf.before-alp" "$conf"
}

install_packages() {
	have apt-get || die "no apt-get here; install by hand: $*"
	say "installing: $*"
	as_root apt-get update -q
	if [[ " $* " == *" postgresql "* ]]; then
		trap restore_postgresql_common EXIT
		install_postgresql_common
	fi
	apt_install "$@"
}

# Debian 12's nodejs is too old for Vite; the npm registry carries Node itself
# as a package. Debian's own is still needed once, to run npm.
install_node() {
	local packages=()

	have node || packages+=(nodejs)
	have npm || packages+=(npm)
	((${#packages[@]} == 0)) || apt_install "${packages[@]}"
	node_new_enough && return 0
	say "installing Node 22 into var/node (this one is $(node --version))"
	mkdir -p "$ROOT/var/node"
	npm install --prefix "$ROOT/var/node" --no-audit --no-fund --no-save node@22
	PATH=$OWN_NODE:$PATH
	node_new_enough || die "Node in var/node does not run: $("$OWN_NODE/node" --version 2>&1)"
}

# Checks metrics, rules and dashboards. Out of Debian's package: installed, that
# would start a Prometheus on port 9090.
install_promtool() {
	local dir=$ROOT/var/promtool

	have promtool || [[ -x $PROMTOOL ]] || {
		have apt-get || die "promtool is missing and there is no apt-get; put it into the PATH"
		say "unpacking promtool into ${dir#"$ROOT"/}"
		rm -rf "$dir"
		mkdir -p "$dir"
		(cd "$dir" && { apt-get download -q prometheus || { as_root apt-get update -q && apt-get download -q prometheus; }; })
		dpkg-deb --fsys-tarfile "$dir"/prometheus_*.deb | tar -x -C "$dir" --strip-components=3 ./usr/bin/promtool
		rm -f "$dir"/prometheus_*.deb
		"$PROMTOOL" --version >/dev/null
	}
}

main() {
	local wanted=("${BASE[@]}") missing group

	for group in "$@"; do
		case $group in
		test) wanted+=("${TEST[@]}") ;;
		check) wanted+=("${CHECK[@]}") ;;
		package) wanted+=("${PACKAGE[@]}") ;;
		package-test) wanted+=("${PACKAGE_TEST[@]}") ;;
		*) die "deps.sh: unknown group '$group' (test, check, package, package-test)" ;;
		esac
	done
	mapfile -t missing < <(missing_of "${wanted[@]}")
	((${#missing[@]} == 0)) || install_packages "${missing[@]}"
	(($# == 0)) || install_promtool
	if ! node_new_enough || ! have npm; then
		install_node
	fi
}

main "$@"
