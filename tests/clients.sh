#!/usr/bin/env bash
# make test-clients: every recipe of docs/orm.md against the real library, on a throw-away cluster.
# `make test` tries those whose libraries install in seconds; here are also those of Ruby, PHP, Java, Go and Rust,
# PostGraphile, Drizzle and dbt.
. "$(dirname "$0")/../pgrx-config/cluster.sh"

cluster test
cd "$ROOT"
"$ROOT/pgrx-config/clients.sh" all
createdb fixture
psql -q -X -d fixture -f "$ROOT/tests/fixture.sql"
say "Recipes"
programs test --release --test orm -- --include-ignored --test-threads=2
