#!/usr/bin/env bash
# A new secret for this stack, where the present one stands: rotate.sh [--end] NAME
# It is in force after make restart.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env.sh"

name=${*: -1}
need_var
case $name in
SECRET_KEY | DATA_KEY | BUS_KEY) ;;
*) die "which secret? make rotate KEY=SECRET_KEY, DATA_KEY or BUS_KEY" ;;
esac
[[ ! -v $name ]] || die "$name is set in the environment: change it there"
"$ROOT/deploy/ops/rotate.sh" "$@" "$(secret_file "$name")"
say "make restart applies it"
