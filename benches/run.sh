#!/usr/bin/env bash
# Measures, on a throw-away cluster: run.sh [ROOM ...], all rooms if none is named. Nothing here passes or fails by a
# figure; the exit status tells whether everything could be run. SET=M takes the large set of room "search".
. "$(dirname "$0")/../pgrx-config/cluster.sh"

if [ $# = 0 ]; then
    for file in "$ROOT"/benches/*.rs; do set -- "$@" "$(basename "$file" .rs)"; done
fi
search="" rooms=()
for room in "$@"; do
    if [ "$room" = search ]; then search=yes; else rooms+=("$room"); fi
done

cluster build
cd "$ROOT"
# Room "desk" measures calls through PgBouncer, and where their time goes.
options=()
if [[ " ${rooms[*]} " = *" desk "* ]]; then
    pgrx-config/setup.sh packages pgbouncer
    options=(-c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.track=none)
    cluster_restart "${options[@]}"
fi
programs bench --quiet --no-run
psql -q -X -c 'ALTER SYSTEM SET autovacuum = off' -c 'SELECT pg_reload_conf()' >/dev/null

if [ ${#rooms[@]} -gt 0 ]; then
    say "Making 200,000 customers"
    createdb bench
    PGDATABASE=bench psql -q -X -f benches/data.sql
fi

say "This machine"
printf '%s, %s cores, load %s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(cut -d ' ' -f 1-3 /proc/loadavg)"
psql -X -A -t -c 'SELECT version()'
git describe --always --dirty 2>/dev/null || true

# Client and server on one CPU: a round trip is then a switch of tasks, and not the waking of a CPU that may be asleep, whose
# time differs from one minute to the next by more than what is measured. BENCH_CPU=all leaves it to the kernel.
export BENCH_CPU="${BENCH_CPU:-$(($(nproc) - 1))}"
if [ ${#rooms[@]} -gt 0 ] && [ "$BENCH_CPU" != all ] &&
    as_server taskset -acp "$BENCH_CPU" "$(as_server head -n 1 "$WORK/data/postmaster.pid")" >/dev/null; then
    run_by=(taskset -c "$BENCH_CPU")
    echo "client and server on CPU $BENCH_CPU"
fi

for room in "${rooms[@]}"; do
    say "$room"
    PGDATABASE=bench programs bench --quiet --bench "$room"
done

# Last, for it needs a server as one sets it up for millions of rows: with buffers that hold the table and its indexes, for
# which PostgreSQL's manual allows up to 40 % of the memory, and disks that seek. All CPUs, since it loads by several
# connections at once, but for latencies; and no WAL of what is built anew.
if [ -n "$search" ]; then
    say "search"
    run_by=()
    memory=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
    cluster_restart -c "shared_buffers=$((memory * 2 / 5))kB" -c "effective_cache_size=$((memory / 2))kB" -c random_page_cost=1.1 \
        -c jit=off -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=16GB -c checkpoint_timeout=1h
    programs bench --quiet --bench search
fi
