# Sourced: a throw-away PostgreSQL cluster with this checkout's ringfence, gone when the script ends.
#
# Neither the machine's PostgreSQL nor any cluster of it is touched: the server runs from a tree of its own, made of
# links to the installed files, with the extension's files beside them. PostgreSQL looks for its libraries and
# extensions relative to where its binary lies, so the binaries are copies.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

WORK=""
cluster_running=""

# PostgreSQL refuses to run as root; then the cluster is user postgres', whom Debian's package makes.
as_server() {
    if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid postgres --regid postgres --init-groups -- "$@"); else "$@"; fi
}

cluster_stop() {
    local status=$?
    trap - EXIT INT TERM HUP
    if [ -n "$cluster_running" ]; then
        as_server "$BIN/pg_ctl" -D "$WORK/data" -m immediate -w stop >/dev/null 2>&1 || true
    fi
    [ -n "$WORK" ] && rm -rf "$WORK"
    exit "$status"
}

workspace() {
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/ringfence.XXXXXX")
    chmod 755 "$WORK"
    trap cluster_stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# Makes the tree, with what build.sh laid out in $WORK/package.
cluster_tree() {
    local installed_bin installed_lib installed_share
    installed_bin=$("$PG_CONFIG" --bindir)
    installed_lib=$("$PG_CONFIG" --pkglibdir)
    installed_share=$("$PG_CONFIG" --sharedir)
    BIN="$WORK/tree$installed_bin"
    local lib="$WORK/tree$installed_lib" share="$WORK/tree$installed_share"
    mkdir -p "$BIN" "$lib" "$share/extension"
    cp "$installed_bin"/{postgres,initdb,pg_ctl} "$BIN"
    ln -s "$installed_lib"/* "$lib"
    for entry in "$installed_share"/*; do
        [ "$(basename "$entry")" = extension ] || ln -s "$entry" "$share"
    done
    ln -s "$installed_share"/extension/* "$share/extension"
    cp --remove-destination "$WORK/package$installed_lib"/ringfence.so "$lib"
    cp --remove-destination "$WORK/package$installed_share"/extension/ringfence* "$share/extension"
    export PATH="$installed_bin:$PATH"
    # Its programs look for their libpq where they were built.
    case $PG_CONFIG in "$SERVERS"/*) export LD_LIBRARY_PATH="$("$PG_CONFIG" --libdir)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" ;; esac
}

# cluster_start [OPTION ...]: those of the server, for this cluster alone.
cluster_start() {
    say "Starting a throw-away cluster"
    mkdir "$WORK/data" "$WORK/socket"
    printf '%s' "$RANDOM$RANDOM$RANDOM$RANDOM" >"$WORK/password"
    if [ "$(id -u)" = 0 ]; then chown postgres "$WORK/data" "$WORK/socket" "$WORK/password"; fi
    chmod 700 "$WORK/data" "$WORK/socket"
    chmod 600 "$WORK/password"
    as_server "$BIN/initdb" -D "$WORK/data" -U postgres --encoding UTF8 --locale C.UTF-8 \
        --auth-local trust --auth-host scram-sha-256 --pwfile "$WORK/password" >"$WORK/initdb.log" ||
        { cat "$WORK/initdb.log" >&2; die "initdb failed"; }
    as_server tee -a "$WORK/data/postgresql.conf" <"$ROOT/pgrx-config/postgresql.conf" >/dev/null
    local try
    for try in 1 2 3 4 5 6 7 8 9 10; do
        export PGPORT=$((20000 + (RANDOM * 32768 + RANDOM) % 40000))
        cluster_running=yes
        if as_server "$BIN/pg_ctl" -D "$WORK/data" -l "$WORK/data/server.log" -w -t 60 \
            -o "-p $PGPORT -k $WORK/socket $*" start >/dev/null 2>&1; then
            break
        fi
        cluster_running=""
        # Another port, in case this one is taken; anything else fails every time.
        [ "$try" = 10 ] && { as_server tail -n 20 "$WORK/data/server.log" >&2; die "the cluster does not start"; }
    done
    export PGHOST="$WORK/socket" PGUSER=postgres PGDATABASE=postgres
    unset PGPASSWORD PGOPTIONS PGSERVICE PGPASSFILE
}

# The same cluster again, with those options of the server.
cluster_restart() {
    as_server "$BIN/pg_ctl" -D "$WORK/data" -l "$WORK/data/server.log" -m fast -w -t 60 \
        -o "-p $PGPORT -k $WORK/socket $*" restart >/dev/null || die "the cluster does not start again"
}

# Everything up to a running cluster: cluster [build|test [OPTION ...]], the packages to be there and the server's options.
cluster() {
    workspace
    mkdir "$WORK/package"
    "$ROOT/pgrx-config/setup.sh" "${1:-build}"
    "$ROOT/pgrx-config/build.sh" "$WORK/package"
    cluster_tree
    cluster_start "${@:2}"
}
