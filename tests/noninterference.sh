#!/usr/bin/env bash
# Runs random programs with and without other owners, on a throw-away cluster. tests/noninterference.rs reads what to run from the
# environment; CONTRIBUTING.md lists the variables.
. "$(dirname "$0")/../pgrx-config/cluster.sh"

cluster build -c autovacuum=off -c shared_buffers=1GB
cd "$ROOT"
say "Noninterference"
programs test --quiet --release --test noninterference
