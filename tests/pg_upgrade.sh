#!/usr/bin/env bash
# pg_upgrade of a filled database, from PostgreSQL 15 (OLD_MAJOR) to that of PG_MAJOR, with this checkout's ringfence in both: the rows, the searches,
# the wall and the catalog must be what they are in a new database. Lines "ok ..." and "FAILED ...".
# RINGFENCE_PACKAGE and RINGFENCE_OLD_PACKAGE name what pgrx-config/build.sh has laid out for both, where that was done already.
. "$(dirname "$0")/../pgrx-config/cluster.sh"

kind=pg_upgrade
. "$ROOT/tests/upgrade/common.sh"
old_major=${OLD_MAJOR:-15}
[ "$old_major" -lt "$PG_MAJOR" ] || die "pg_upgrade goes to a later version: PG_MAJOR=18 tests/pg_upgrade.sh"

workspace
export TMPDIR="$WORK"
new="$WORK/new" old="$WORK/old"
mkdir "$new" "$old"
build() {
    "$ROOT/pgrx-config/setup.sh" build >&2
    "$ROOT/pgrx-config/build.sh" "$1" >&2
}
if [ -n "${RINGFENCE_PACKAGE:-}" ]; then ln -s "$RINGFENCE_PACKAGE" "$new/package"; else build "$new/package"; fi
# What is found out of PG_MAJOR is found out anew for the other one. Built is for the usual server of that version; what runs is that of pgrx-config/servers.txt.
built_for_old() { env -u PG_CONFIG -u CARGO_TARGET_DIR -u LD_LIBRARY_PATH PG_MAJOR="$old_major" bash -c '. "$1/pgrx-config/common.sh"; '"$1" bash "$ROOT" "${@:2}"; }
in_old() { env -u CARGO_TARGET_DIR PG_CONFIG="$SERVERS/$old_major/bin/pg_config" PG_MAJOR="$old_major" bash -c '. "$1/pgrx-config/cluster.sh"; '"$1" bash "$ROOT" "${@:2}"; }
in_old '"$ROOT/pgrx-config/setup.sh" build >&2'
old_package=${RINGFENCE_OLD_PACKAGE:-$WORK/built}
[ -n "${RINGFENCE_OLD_PACKAGE:-}" ] || built_for_old '"$ROOT/pgrx-config/setup.sh" build >&2; "$ROOT/pgrx-config/build.sh" "$2" >&2' "$old_package"
old_library="$old/package$(in_old '"$PG_CONFIG" --pkglibdir')" old_extension="$old/package$(in_old '"$PG_CONFIG" --sharedir')/extension"
mkdir -p "$old_library" "$old_extension"
cp "$old_package$(built_for_old '"$PG_CONFIG" --pkglibdir')/ringfence.so" "$old_library"
cp "$old_package$(built_for_old '"$PG_CONFIG" --sharedir')/extension"/ringfence* "$old_extension"
in_old 'WORK="$2" cluster_tree' "$old"
old_bin="$old/tree$(in_old '"$PG_CONFIG" --bindir')"
WORK="$new" cluster_tree
new_bin="$BIN"
# pg_upgrade wants all programs in one directory.
programs() {
    local program
    for program in "$1"/*; do [ -e "$2/$(basename "$program")" ] || ln -s "$program" "$2"; done
}
programs "$(in_old '"$PG_CONFIG" --bindir')" "$old_bin"
programs "$("$PG_CONFIG" --bindir)" "$new_bin"

# In a directory of its user: pg_upgrade writes its scripts where it stands.
run="$WORK/run"
mkdir "$run"
if [ "$(id -u)" = 0 ]; then chown postgres "$run"; fi
server() { as_server env LC_ALL=C.UTF-8 "$@"; }
export PGHOST="$run" PGPORT=$((20000 + RANDOM)) PGUSER=postgres PGDATABASE=postgres
unset PGPASSWORD PGOPTIONS PGSERVICE PGPASSFILE
running=()
start() {
    running=("$1" "$2")
    server "$1/pg_ctl" -D "$2/data" -l "$run/$(basename "$2").log" -w -s -o "-p $PGPORT -k $run" start
}
stop() {
    server "${running[0]}/pg_ctl" -D "${running[1]}/data" -m fast -w -s stop
    running=()
}
ended() {
    local status=$?
    [ ${#running[@]} = 0 ] || stop || true
    rm -rf "$WORK"
    exit "$status"
}
trap ended EXIT
initialize() {
    mkdir "$2/data"
    if [ "$(id -u)" = 0 ]; then chown postgres "$2/data"; fi
    server "$1/initdb" -D "$2/data" -U postgres --encoding UTF8 --locale C.UTF-8 --auth trust "${@:3}" >"$WORK/initdb.log" 2>&1 || { cat "$WORK/initdb.log"; die "initdb failed"; }
    printf "listen_addresses = ''\nfsync = off\ntimezone = 'UTC'\n" | server tee -a "$2/data/postgresql.conf" >/dev/null
}

say "A database of PostgreSQL $old_major"
initialize "$old_bin" "$old"
start "$old_bin" "$old"
psql -q -X -f "$tests/roles.sql"
filled_database filled
columns filled >"$WORK/columns"
rows filled "$WORK/columns" >"$WORK/rows.before"
script filled ask >"$WORK/ask.before"
script filled search >"$WORK/search.before"
stop

say "pg_upgrade to PostgreSQL $PG_MAJOR"
checksums=()
[ "$PG_MAJOR" -lt 18 ] || checksums=(--no-data-checksums)
initialize "$new_bin" "$new" "${checksums[@]}"
upgraded=0
(cd "$run" && if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --init-groups -- "$new_bin/pg_upgrade" -b "$old_bin" -B "$new_bin" -d "$old/data" -D "$new/data" -U postgres -s "$run"
    else "$new_bin/pg_upgrade" -b "$old_bin" -B "$new_bin" -d "$old/data" -D "$new/data" -U postgres -s "$run"; fi) >"$WORK/pg_upgrade.log" 2>&1 || upgraded=$?
if [ "$upgraded" != 0 ]; then
    cat "$WORK/pg_upgrade.log"
    as_server find "$new/data" -name '*.log' -path '*pg_upgrade_output*' -exec tail -n 20 {} +
    not_ok "from $old_major to $PG_MAJOR"
    exit 1
fi
ok "from $old_major to $PG_MAJOR"
start "$new_bin" "$new"
vacuumdb --all --analyze-in-stages --quiet 2>/dev/null || vacuumdb --all --analyze --quiet
rows filled "$WORK/columns" >"$WORK/rows.after"
same "the rows are what they were" "$WORK/rows.before" "$WORK/rows.after"
script filled ask >"$WORK/ask.after"
same "sessions are told what they were, behind the same wall" "$WORK/ask.before" "$WORK/ask.after"
script filled search >"$WORK/search.after"
same "searches find what they did" "$WORK/search.before" "$WORK/search.after"
# Versions name a column without a name differently when they print it; that name is then kept.
catalog filled | sed 's/::text AS text,$/::text,/' >"$WORK/catalog.upgraded"
createdb -T template0 fresh
sql fresh -c "CREATE EXTENSION ringfence"
sql fresh -f "$tests/fill.sql" >/dev/null
catalog fresh >"$WORK/catalog.fresh"
same "the catalog is that of a new database" "$WORK/catalog.upgraded" "$WORK/catalog.fresh"
[ -z "$any_failed" ]
