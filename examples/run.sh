#!/usr/bin/env bash
# make run: psql on a throw-away cluster with the sample data; the cluster goes when you leave.
. "$(dirname "$0")/../pgrx-config/cluster.sh"
. "$ROOT/examples/common.sh"

cluster build
sample_database
cat <<'TEXT'

You are superuser, whom row-level security does not bind. Be somebody: \c - agent_a, agent_b, desk, seller_a, manager or bi_a
TEXT
psql -X
