#!/bin/sh
# rootfs.sh FOLDER FILE...: a root file system with these programs and libraries, the
# shared libraries they need, the certificates and an unprivileged user; nothing else,
# not even a shell. What is in FOLDER already stays. Every file and folder gets the same
# time and the mode 755 or 644, so that two builds are alike.
set -eu
TIME=2020-01-01T00:00:00Z

root=$1
shift

# put FILE: to the same place below the root, links followed.
put() {
	[ ! -e "$root$1" ] || return 0
	mkdir -p "$root${1%/*}"
	cp -L --preserve=mode "$1" "$root$1"
}

for program in "$@"; do
	put "$program"
	needed=$(ldd "$program")
	case $needed in *'not found'*) printf '%s: %s\n' "$program" "$needed" >&2 && exit 1 ;; esac
	for library in $(printf '%s\n' "$needed" | grep -o '/[^ )]*'); do
		put "$library"
	done
done
put /etc/ssl/certs/ca-certificates.crt
printf 'alp:x:65532:65532::/:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'alp:x:65532:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
mkdir -p "$root/tmp" "$root/proc" "$root/sys" "$root/dev"
chmod -R u=rwX,go=rX "$root"
find "$root" -exec touch -h -d "$TIME" {} +
