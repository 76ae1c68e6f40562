#!/usr/bin/env bash
# Measures, on a throw-away cluster: run.sh [ROOM ...], all rooms if none is named. Nothing here passes or fails by a
# figure; the exit status tells whether everything could be run.
. "$(dirname "$0")/../pgrx-config/cluster.sh"

cluster build
cd "$ROOT"
read -r -a features <<<"$(features)"

say "Making 200,000 customers"
createdb bench
export PGDATABASE=bench
psql -q -X -f benches/data.sql

say "This machine"
printf '%s, %s cores, load %s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(cut -d ' ' -f 1-3 /proc/loadavg)"
psql -X -A -t -c 'SELECT version()'
git describe --always --dirty 2>/dev/null || true

if [ $# = 0 ]; then
    for file in benches/*.rs; do set -- "$@" "$(basename "$file" .rs)"; done
fi
for room in "$@"; do
    say "$room"
    cargo bench --quiet --locked "${features[@]}" --bench "$room"
done
