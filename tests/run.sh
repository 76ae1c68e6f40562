#!/usr/bin/env bash
# Every test, on a throw-away cluster; with TEST=... one regression test, one file of tests/, or the Rust tests with that in their name.
# The last line counts them; the exit status is non-zero if any failed.
# SCOPE=regression runs less, for another major version than the one that has run all: build, clippy and the regression tests.
. "$(dirname "$0")/../pgrx-config/cluster.sh"

passed=0 failed=0 skipped=0
failures=()

SCOPE=${SCOPE:-all}
case $SCOPE in
    all | regression) ;;
    *) die "SCOPE is all or regression" ;;
esac

ok() { passed=$((passed + 1)); printf 'ok      %s\n' "$1"; }
not_here() { skipped=$((skipped + 1)); printf 'skipped %s: %s\n' "$1" "$2"; }
not_ok() { failed=$((failed + 1)); failures+=("$1"); printf 'FAILED  %s\n' "$1"; }

# One command that is one test.
check() {
    local name=$1
    shift
    if "$@" >"$WORK/check.log" 2>&1; then ok "$name"; else
        cat "$WORK/check.log"
        not_ok "$name"
    fi
}

# A run of cargo's test runner: what it counts, we count. A run that does not get so far is one failure.
cargo_tests() {
    local name=$1 log="$WORK/cargo.log"
    shift
    local status=0
    "$@" 2>&1 | tee "$log" || status=$?
    local counted
    counted=$(sed -nE 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed; ([0-9]+) ignored;.*/\1 \2 \3/p' "$log")
    local p f i any_failed=0
    while read -r p f i; do
        [ -n "$p" ] || continue
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + i)) any_failed=$((any_failed + f))
    done <<<"$counted"
    if [ -z "$counted" ] || { [ "$status" != 0 ] && [ "$any_failed" = 0 ]; }; then not_ok "$name"; fi
    [ "$any_failed" = 0 ] || failures+=("$name")
}

program_tests() { programs test --release --no-fail-fast "$@"; }

# Each regression test in a database of its own, a copy of the fixture: regression_tests NAME [TEST], where NAME tells one run of
# them from another. A missing expected file is a failure, which pg_regress would not say.
regression_tests() {
    local run=$1 only=${2:-*} runner
    runner="$(dirname "$("$PG_CONFIG" --pgxs)")/../../src/test/regress/pg_regress"
    local file name
    for file in "$ROOT"/tests/regress/sql/$only.sql; do
        name=$(basename "$file" .sql)
        # It needs sessions that have not loaded the library yet.
        [ "$run/$name" = parallel/attack_setting ] && continue
        # What is new in a version of PostgreSQL.
        if [[ "$name" =~ _since_([0-9]+)$ ]] && [ "$PG_MAJOR" -lt "${BASH_REMATCH[1]}" ]; then
            not_here "$run/$name" "PostgreSQL ${BASH_REMATCH[1]} and later"
            continue
        fi
        dropdb --if-exists "regress_$name" 2>/dev/null
        createdb -T fixture "regress_$name"
        mkdir -p "$WORK/regress/$name"
        # For whoever writes a test: REGRESS_RESULTS=tests/regress/expected accepts what it prints.
        [ -z "${REGRESS_RESULTS:-}" ] || touch "$REGRESS_RESULTS/$name.out"
        if [ ! -e "$ROOT/tests/regress/expected/$name.out" ]; then
            echo "tests/regress/expected/$name.out is missing"
            not_ok "$run/$name"
            continue
        fi
        if "$runner" --use-existing --dbname "regress_$name" --bindir "$("$PG_CONFIG" --bindir)" \
                --inputdir "$ROOT/tests/regress" --outputdir "$WORK/regress/$name" \
                --host "$PGHOST" --port "$PGPORT" --user "$PGUSER" "$name" >"$WORK/check.log" 2>&1; then
            ok "$run/$name"
        else
            cat "$WORK/regress/$name/regression.diffs" 2>/dev/null || cat "$WORK/check.log"
            not_ok "$run/$name"
        fi
        [ -z "${REGRESS_RESULTS:-}" ] || [ "$run" != regress ] || cp "$WORK/regress/$name/results/$name.out" "$REGRESS_RESULTS"
    done
}

# All that the server can write about a session, in all its formats, for the tests of what may not be in there.
log_options=(-c logging_collector=on -c log_destination=stderr,csvlog,jsonlog -c log_directory=log -c log_filename=server.log
    -c log_rotation_age=0 -c log_rotation_size=0)
cluster "$([ "$SCOPE" = regression ] && echo build || echo test)" "${log_options[@]}"
cd "$ROOT"
# Two runs side by side name their files alike.
mkdir -m 1777 "$WORK/tmp"
export TMPDIR="$WORK/tmp"
read -r -a features <<<"$(features)"
export RINGFENCE_LOG_DIRECTORY="$WORK/data/log"
server_log="$RINGFENCE_LOG_DIRECTORY/server.log"

make_fixture() {
    createdb fixture
    psql -q -X -d fixture -f "$ROOT/tests/fixture.sql" || not_ok "tests/fixture.sql"
}

# The same with the library loaded from the start, and a parallel worker for each query that may have one: the results must
# not differ. From here on pg_stat_statements is there too.
# PostgreSQL 18 reads by worker processes; from here on by the session itself, as before.
preloaded() {
    local io=()
    [ "$PG_MAJOR" -lt 18 ] || io=(-c io_method=sync)
    cluster_restart "${log_options[@]}" "${io[@]}" -c shared_preload_libraries=pg_stat_statements,ringfence
}
parallel_regression_tests() {
    PGOPTIONS="-c $([ "$PG_MAJOR" -ge 16 ] && echo debug_parallel_query || echo force_parallel_mode)=regress" regression_tests parallel "$@"
}

# What the tests with connections of their own need, beside the fixture.
make_examples() {
    . "$ROOT/examples/common.sh"
    sample_database
    # For the examples that write: the demo tells of what it finds.
    createdb -T demo demo_calls
    psql -q -X -c "ALTER ROLE desk PASSWORD 'the desk''s password'"
    check "the client libraries can be installed" "$ROOT/pgrx-config/clients.sh" light
    check "the Rust examples build" programs build --release --example find_customer --example take_call
}

report() {
    [ ${#failures[@]} = 0 ] || printf '\nFailed: %s' "${failures[@]}"
    printf '\nPostgreSQL %s: %d passed, %d failed, %d skipped, in %d s\n' "$("$PG_CONFIG" --version | cut -d' ' -f2)" "$passed" "$failed" "$skipped" "$SECONDS"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# A script that has several tests, and says "ok ..." or "FAILED ..." of each: counted_tests NAME COMMAND ...
counted_tests() {
    local name=$1 log="$WORK/counted.log" status=0 line p=0 f=0
    shift
    "$@" 2>&1 | tee "$log" || status=$?
    while IFS= read -r line; do
        case $line in
            "ok      "*) p=$((p + 1)) ;;
            "FAILED  "*) f=$((f + 1)) failures+=("${line#FAILED  }") ;;
        esac
    done <"$log"
    passed=$((passed + p)) failed=$((failed + f))
    # One that ends before its time is a failure too.
    if [ "$p" = 0 ] || { [ "$status" != 0 ] && [ "$f" = 0 ]; }; then not_ok "$name"; fi
}

upgrade_tests() { counted_tests upgrade env RINGFENCE_PACKAGE="$WORK/package" "$ROOT/tests/upgrade.sh"; }

# To the latest version, from the first.
pg_upgrade_tests() {
    if [ "$PG_MAJOR" = 18 ]; then counted_tests pg_upgrade env RINGFENCE_PACKAGE="$WORK/package" "$ROOT/tests/pg_upgrade.sh"; else
        not_here pg_upgrade "PostgreSQL 18"
    fi
}

# Only what TEST names, in each of the ways that the whole run has.
one_test() {
    case $1 in upgrade | pg_upgrade)
        "$1_tests"
        return
    esac
    make_fixture
    if [ -e "$ROOT/tests/regress/sql/$1.sql" ]; then
        regression_tests regress "$1"
        preloaded
        parallel_regression_tests "$1"
        [ -e "$ROOT/tests/$1.rs" ] || return
    elif [ "$1" != library ]; then preloaded; fi
    if [ -e "$ROOT/tests/$1.rs" ]; then
        make_examples
        cargo_tests "connection tests" program_tests --test "$1" -- --test-threads=2
        return
    fi
    # Noninterference is one program, and has no tests with names.
    local targets=() file
    for file in "$ROOT"/tests/*.rs; do
        [ "$(basename "$file")" = noninterference.rs ] || targets+=(--test "$(basename "$file" .rs)")
    done
    cargo_tests "unit tests" cargo test --release --locked "${features[@]}" --lib -- "$1"
    local without_examples=$passed
    make_examples
    local with_examples=$passed
    cargo_tests "connection tests" program_tests "${targets[@]}" -- --test-threads=2 "$1"
    [ $((without_examples + passed - with_examples + failed)) != 0 ] || not_ok "no test has \"$1\" in its name"
}

if [ -n "${TEST:-}" ]; then
    one_test "$TEST"
    report
    exit
fi

# What takes how long stands beside the headings.
say() { printf '\n== %s (after %d s)\n' "$*" "$SECONDS"; }

say "Style"
if [ "$SCOPE" = regression ]; then
    # Only the library depends on the version.
    check "cargo clippy" cargo clippy --release --lib --locked "${features[@]}" -- -D warnings
    make_fixture
    say "Regression tests"
    regression_tests regress
    say "Regression tests, preloaded and in parallel workers"
    preloaded
    parallel_regression_tests
    check "the server survived every test" test "$(as_server grep -cE 'PANIC|terminated by signal' "$server_log")" = 0
    report
    exit
fi
check "cargo fmt" cargo fmt --all --check
check "cargo clippy" cargo clippy --release --all-targets --locked "${features[@]}" -- -D warnings
check "cargo clippy of the tests" programs clippy --release --all-targets -- -D warnings

say "Unit tests"
cargo_tests "unit tests" cargo test --release --locked "${features[@]}" --lib

make_fixture

say "Regression tests"
regression_tests regress
say "Tests of loading the library, not preloaded"
cargo_tests "library not preloaded" program_tests --test library

say "Regression tests, preloaded and in parallel workers"
preloaded
parallel_regression_tests

say "Tests with connections of their own"
make_examples
cargo_tests "connection tests" program_tests --test '*' -- --test-threads=2

say "Upgrades from released versions"
upgrade_tests
pg_upgrade_tests

# Each benchmark once, on tiny data: not for its figures, but so that none stops working unnoticed.
say "Benchmarks, once on tiny data"
export BENCH_SCALE=50 BENCH_ROUNDS=1 BENCH_BLOCK_MS=1 BENCH_QUERIES=2 BENCH_SECONDS=0 BENCH_RECALL=1 BENCH_MIX_SECONDS=1 BENCH_CPU=all
createdb bench
PGDATABASE=bench psql -q -X -f benches/data.sql || not_ok "benches/data.sql"
bench_once() { PGDATABASE=bench programs bench --quiet --bench "$1"; }
for file in "$ROOT"/benches/*.rs; do
    room=$(basename "$file" .rs)
    check "bench $room" bench_once "$room"
done

# ATTACKS 12, 124: without the library nothing is shown, whatever is set. As the last, for no test could follow.
library_missing() {
    local library statement answer
    library="$WORK/tree$("$PG_CONFIG" --pkglibdir)/ringfence.so"
    mv "$library" "$library.away"
    for statement in "SELECT name FROM ringfence.customer" "SELECT name FROM ringfence.customer_card" "TABLE ringfence.owner" \
            "COPY (SELECT name FROM ringfence.customer) TO STDOUT" "SELECT name FROM ringfence.search_customers('tsai')" \
            "UPDATE ringfence.customer SET name = 'x' RETURNING name" "DELETE FROM ringfence.customer RETURNING name" \
            "INSERT INTO ringfence.customer (owner_id, name) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'x') RETURNING name" \
            "BEGIN; DECLARE c CURSOR FOR SELECT name FROM ringfence.customer; FETCH ALL FROM c; COMMIT"; do
        answer=$(psql -X -At -d fixture -U app_a -v VERBOSITY=verbose -c "SET ringfence.owner = 'Company A'" -c "$statement" 2>&1)
        if [[ "$answer" != *"ERROR:  58P01: could not access file"* ]] || grep -qE 'Tsai|Chen|Company A$|^x$' <<<"$answer"; then
            printf '%s\n%s\n' "$statement" "$answer"
            return 1
        fi
    done
}
cluster_restart "${log_options[@]}"
check "nothing is shown where the library is missing" library_missing

check "the server survived every test" test "$(as_server grep -cE 'PANIC|terminated by signal' "$server_log")" = 0

report
