#!/usr/bin/env bash
# make demo: builds ringfence, starts a throw-away cluster, loads the sample data and plays the story of Ms. Tsai.
. "$(dirname "$0")/../pgrx-config/cluster.sh"
. "$ROOT/examples/common.sh"

cluster build
sample_database
# Some of the statements of the story are refused: that is the story.
psql -X -f examples/demo.sql 2>&1 | sed -E 's/^psql:[^ ]+: //; /^You are now connected/d'
say "That was the demo. make run gives you a psql prompt on the same data."
