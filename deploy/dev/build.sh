#!/usr/bin/env bash
# Configures and builds one preset, or some targets of it:
#   build.sh release|debug|tsan|fuzz [TARGET...]

. "$(dirname "$0")/lib.sh"

preset=${1:?usage: build.sh PRESET [TARGET...]}
shift
cd "$ROOT"
if ! have cmake || ! have ninja; then
	die "cmake or ninja is missing; run make deps"
fi
if [[ ! -f build/$preset/build.ninja ]]; then
	cmake --preset "$preset"
fi
(($# == 0)) || set -- --target "$@"
cmake --build "build/$preset" -j "$(nproc)" "$@"
