#!/usr/bin/env bash
# rotate.sh NAME [FILE]       a new SECRET_KEY, DATA_KEY or BUS_KEY in FILE (.env)
# rotate.sh --end NAME [FILE] what the key before still opened it opens no more
#
# The value before goes into NAME_OLD and stays good until --end. BUS_KEY has no
# such time: all daemons get the new one at once.

. "$(dirname "$0")/lib.sh"

end=
if [[ "${1-}" = --end ]]; then
	end=1
	shift
fi
name=${1-}
file=${2:-.env}
case $name in
SECRET_KEY | DATA_KEY) keep=1 ;;
BUS_KEY) keep= ;;
*) die "usage: rotate.sh [--end] SECRET_KEY|DATA_KEY|BUS_KEY [FILE]" ;;
esac
[[ -f "$file" ]] || die "$file is not there"

# value_of NAME: as the daemons read it, without quotes and comment.
value_of() {
	sed -n "s/^$1=//p" "$file" | tail -n 1 |
		sed -E "s/^\"([^\"]*)\".*/\1/; s/^'([^']*)'.*/\1/; s/[[:space:]]+(#.*)?$//"
}

# set_value NAME VALUE: in the place of its line, or of the line that shows its default.
set_value() {
	cp -p "$file" "$file.new"
	NAME=$1 VALUE=$2 awk '
		$0 ~ "^#?" ENVIRON["NAME"] "=" { if (!done) print ENVIRON["NAME"] "=" ENVIRON["VALUE"]; done = 1; next }
		{ print }
		END { if (!done) print ENVIRON["NAME"] "=" ENVIRON["VALUE"] }' "$file" >"$file.new"
	mv "$file.new" "$file"
}

if [[ -n "$end" ]]; then
	[[ -n "$keep" ]] || die "$name has no earlier value that is still good"
	set_value "${name}_OLD" ""
	say "$file: ${name}_OLD is empty"
	exit 0
fi
before=$(value_of "$name")
[[ -n "$before" ]] || die "$file has no $name"
older=$(value_of "${name}_OLD")
[[ -z "$keep" ]] || set_value "${name}_OLD" "$before${older:+,$older}"
set_value "$name" "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
say "$file: a new $name${keep:+; the one before is in ${name}_OLD}"
