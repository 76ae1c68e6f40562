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
psql -q -X -c 'ALTER SYSTEM SET autovacuum = off' -c 'SELECT pg_reload_conf()' >/dev/null

say "This machine"
printf '%s, %s cores, load %s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(cut -d ' ' -f 1-3 /proc/loadavg)"
psql -X -A -t -c 'SELECT version()'
git describe --always --dirty 2>/dev/null || true

# Client and server on one CPU: a round trip is then a switch of tasks, and not the waking of a CPU that may be asleep, whose
# time differs from one minute to the next by more than what is measured. BENCH_CPU=all leaves it to the kernel.
pin=()
BENCH_CPU="${BENCH_CPU:-$(($(nproc) - 1))}"
if [ "$BENCH_CPU" != all ] && as_server taskset -acp "$BENCH_CPU" "$(as_server head -n 1 "$WORK/data/postmaster.pid")" >/dev/null; then
    pin=(taskset -c "$BENCH_CPU")
    echo "client and server on CPU $BENCH_CPU"
fi

if [ $# = 0 ]; then
    for file in benches/*.rs; do set -- "$@" "$(basename "$file" .rs)"; done
fi
for room in "$@"; do
    say "$room"
    cargo bench --quiet --locked "${features[@]}" --bench "$room" --no-run
    "${pin[@]}" cargo bench --quiet --locked "${features[@]}" --bench "$room"
done
