#!/usr/bin/env bash
# Builds the extension and lays its files out under a directory: build.sh DIRECTORY
. "$(dirname "$0")/common.sh"

say "Building ringfence for PostgreSQL $PG_MAJOR"
cd "$ROOT"
# shellcheck disable=SC2046
cargo pgrx package --pg-config "$PG_CONFIG" --out-dir "$1" $(features) || die "the build failed"
