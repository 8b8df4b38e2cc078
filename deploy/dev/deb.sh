#!/usr/bin/env bash
# make deb: the Debian packages of this release, in build/deb.
#
# DEB_VERSION=0.1.1 gives them another version. They are built from a copy of the
# sources, because dpkg wants its folder at the top.

. "$(dirname "$0")/lib.sh"

OUT=$ROOT/build/deb
SOURCE=$OUT/source

copy_sources() {
	rm -rf "$OUT"
	mkdir -p "$SOURCE/frontend"
	git -C "$ROOT" ls-files -z -co --exclude-standard -- \
		CMakeLists.txt CMakePresets.json CHANGELOG.md proto services deploy docs |
		tar -C "$ROOT" --null -T - -cf - | tar -C "$SOURCE" -xf -
	cp -r "$ROOT/frontend/dist" "$SOURCE/frontend/dist"
	cp -r "$SOURCE/deploy/debian" "$SOURCE/debian"
	[[ -z ${DEB_VERSION-} ]] || sed -i "1s/([^)]*)/($DEB_VERSION)/" "$SOURCE/debian/changelog"
}

main() {
	"$ROOT/deploy/dev/deps.sh" package
	copy_sources
	if have ccache; then # dpkg's home for the build has none
		CCACHE_DIR=$(ccache -k cache_dir)
		export CCACHE_DIR CCACHE_BASEDIR=$SOURCE CCACHE_NOHASHDIR=1
	fi
	(cd "$SOURCE" && dpkg-buildpackage --build=binary --no-sign) >"$OUT/log" 2>&1 || {
		tail -n 40 "$OUT/log" >&2
		die "the packages could not be built; all of it is in build/deb/log"
	}
	rm -rf "$SOURCE"
	(cd "$OUT" && ls -- *.deb)
}

main
