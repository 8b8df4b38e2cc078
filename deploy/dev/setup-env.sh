#!/usr/bin/env bash
# Makes .env from deploy/env.example unless it exists.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/env.sh"

setup_env
