#!/usr/bin/env bash
# Configures and builds one preset: build.sh release|debug|tsan|fuzz

. "$(dirname "$0")/lib.sh"

preset=${1:?usage: build.sh PRESET}
cd "$ROOT"
if ! have cmake || ! have ninja; then
	die "cmake or ninja is missing; run make deps"
fi
if [[ ! -f build/$preset/build.ninja ]]; then
	cmake --preset "$preset"
fi
cmake --build "build/$preset" -j "$(nproc)"
