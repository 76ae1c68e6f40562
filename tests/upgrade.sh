#!/usr/bin/env bash
# Upgrades databases of every released version (tests/upgrade/VERSION), on throw-away clusters: made and filled by the library and the script of
# that version, then given this checkout's library, and updated. They must then be as a database that is new, and hold what they held.
#   tests/upgrade.sh        tests it: lines "ok ..." and "FAILED ..."
#   tests/upgrade.sh diff   shows how the catalog of an upgraded database differs from that of a new one: what is missing in
#                           sql/ringfence--....sql, as lines with + (only new databases have it) and - (only upgraded ones)
#   tests/upgrade.sh draft  shows the statements that are missing in it, as a draft (tests/upgrade/draft.py)
# RINGFENCE_PACKAGE names what pgrx-config/build.sh has laid out, where that was done already.
. "$(dirname "$0")/../pgrx-config/cluster.sh"

show_diff=${1:-}
kind=upgrade
. "$ROOT/tests/upgrade/common.sh"

# What is released is never edited: databases out there were made of it.
released_files() {
    local version file
    for version in $(released); do
        printf '%s\n' "tests/upgrade/$version/ringfence--$version.sql" "tests/upgrade/$version/source.tar.xz"
        for file in "$ROOT"/sql/ringfence--*--"$version".sql; do [ ! -e "$file" ] || printf 'sql/%s\n' "$(basename "$file")"; done
    done
}
released() { (cd "$tests" && printf '%s\n' */ | tr -d / | sort -V); }
checksums() { (cd "$ROOT" && released_files | xargs sha256sum); }

# What the server of this tree takes for the extension: library FILE, then the script and the control file of the version.
put_library() { install -m 755 "$1" "$library.new" && mv "$library.new" "$library"; }

# Each object of the extension, as a script; and what pg_dump keeps of its tables, as calls.
members() { pg_dump --schema-only --binary-upgrade "$1"; }
kept_in_dumps() {
    sql "$1" -c "SELECT format('SELECT pg_extension_config_dump(%L, %L);', kept.oid::regclass, condition) FROM pg_extension
        CROSS JOIN LATERAL ROWS FROM (unnest(extconfig), unnest(extcondition)) AS kept (oid, condition) WHERE extname = 'ringfence'" | sort
}

ticket_statuses() {
    sql "$1" -c "SELECT owner.name, status.name, is_closed, position FROM ringfence.owner
        LEFT JOIN ringfence.ticket_status AS status ON status.owner_id = owner.id ORDER BY owner.name, position"
}

# A session that stays open through the upgrade, with the library that it has loaded: ask it by `old_session SQL`.
old_session() {
    local line
    printf '%s\n\\echo end of answer\n' "$1" >&"${session[1]}"
    while IFS= read -r -u "${session[0]}" line && [ "$line" != 'end of answer' ]; do printf '%s\n' "$line"; done
}

upgrade_from() {
    local version=$1 out="$WORK/$1"
    mkdir "$out"
    say "Upgrading from $version"
    put_library "$("$tests/build.sh" "$version")"
    rm -f "$extension"/ringfence*
    cp "$tests/$version/ringfence--$version.sql" "$extension"
    sed "s/^default_version = .*/default_version = '$version'/" "$ROOT/ringfence.control" >"$extension/ringfence.control"
    cluster_start -c "ringfence.max_owners=100"
    psql -q -X -f "$tests/roles.sql"
    filled_database filled
    createdb bare
    sql bare -c "CREATE EXTENSION ringfence"
    columns filled >"$out/columns"
    rows filled "$out/columns" >"$out/rows.before"
    script filled ask >"$out/ask.before"
    pg_dump --format custom --file "$WORK/filled.dump" filled
    coproc session { psql -q -X -At -d filled -U app_a -v VERBOSITY=default -v SHOW_CONTEXT=never 2>&1; }
    old_session "SELECT count(*) FROM ringfence.customer;" >"$out/session.before"

    put_library "$package$("$PG_CONFIG" --pkglibdir)/ringfence.so"
    rm -f "$extension"/ringfence*
    cp "$package$("$PG_CONFIG" --sharedir)"/extension/ringfence* "$extension"
    # Between: whatever asks for an owner is refused, and says what to do. Only the names of keys are still shown, to administrators.
    script filled ask >"$out/ask.between"
    if grep -vxE 'ERROR:  (55000|25P02)|\*\*\* .*|test\|HS256' "$out/ask.between" || [ "$(grep -c 55000 "$out/ask.between")" -lt 60 ]; then
        not_ok "$version: the new library refuses to work with the old SQL"
    else ok "$version: the new library refuses to work with the old SQL"; fi
    psql -q -X -At -d filled -U app_a -c "SELECT name FROM ringfence.customer" >"$out/hint" 2>&1 || true
    printf '%s\n' "ERROR:  the ringfence library has version $current, but the extension in this database has version $version" \
        "HINT:  Run ALTER EXTENSION ringfence UPDATE in this database, as superuser." >"$out/hint.expected"
    same "$version: and says what to do" "$out/hint.expected" "$out/hint"
    same "$version: it has changed nothing" "$out/rows.before" <(rows filled "$out/columns")

    if ! sql filled -c "ALTER EXTENSION ringfence UPDATE" || ! sql bare -c "ALTER EXTENSION ringfence UPDATE"; then
        not_ok "$version: ALTER EXTENSION ringfence UPDATE"
        return
    fi
    ok "$version: ALTER EXTENSION ringfence UPDATE"
    # At once: nothing else has happened that such a session would hear of.
    old_session "SELECT count(*) FROM ringfence.customer;" >"$out/session.after"
    if grep -q '^305$' "$out/session.before" && ! grep -qE '^[0-9]+$' "$out/session.after" && grep -q 'reconnect' "$out/session.after"; then
        ok "$version: a session with the old library says what to do"
    else
        cat "$out/session.before" "$out/session.after"
        not_ok "$version: a session with the old library says what to do"
    fi
    local input=${session[1]}
    exec {input}>&-
    wait "$session_PID" || true
    catalog filled >"$out/catalog.upgraded"
    catalog bare >"$out/catalog.bare"
    schema filled >"$out/schema.upgraded"
    createdb -T template0 new
    sql new -c "CREATE EXTENSION ringfence"
    if [ "$show_diff" = draft ]; then
        members bare >"$out/members.upgraded"
        members new >"$out/members.new"
        python3 "$tests/draft.py" "$out/members.upgraded" "$out/members.new"
        kept_in_dumps bare >"$out/kept.upgraded"
        kept_in_dumps new | comm -13 "$out/kept.upgraded" -
        return
    fi
    catalog new >"$out/catalog.new"
    same "$version: an empty database has the catalog of a new one" "$out/catalog.bare" "$out/catalog.new"
    [ -z "$show_diff" ] || return 0
    filled_database fresh
    catalog fresh >"$out/catalog.fresh"
    same "$version: a filled one too" "$out/catalog.upgraded" "$out/catalog.fresh"
    schema fresh >"$out/schema.fresh"
    same "$version: and the same dump" "$out/schema.upgraded" "$out/schema.fresh"

    rows filled "$out/columns" >"$out/rows.after"
    # Profile admin has the rights that have come. What it had is in rows.before.
    sed -i -E '/^ringfence\.profile\|.*,admin,/s/,source\.manage,customer\.propose\}/}/' "$out/rows.after"
    same "$version: the rows are what they were" "$out/rows.before" "$out/rows.after"
    ticket_statuses fresh >"$out/statuses"
    same "$version: each owner has the ticket statuses of a new one" "$out/statuses" <(ticket_statuses filled)
    script filled ask >"$out/ask.after"
    same "$version: sessions are told what they were, behind the same wall" "$out/ask.before" "$out/ask.after"
    script filled search >"$out/search.upgraded"
    script fresh search >"$out/search.fresh"
    same "$version: searches find what they do in a new database" "$out/search.upgraded" "$out/search.fresh"

    # The other way to a new version: dump and restore. The entry of a role that is gone does not come back.
    createdb -T template0 restored
    pg_restore --exit-on-error -d restored "$WORK/filled.dump" || not_ok "$version: a dump is restored"
    catalog restored >"$out/catalog.restored"
    # But for what a DBA has put on the extension's tables: pg_dump leaves that to the extension.
    grep -vE 'shop_note|customer_by_language' "$out/catalog.fresh" >"$out/catalog.dumped"
    same "$version: a restored dump has the same catalog" "$out/catalog.restored" "$out/catalog.dumped"
    rows restored "$out/columns" >"$out/rows.restored"
    same "$version: and the same rows" "$out/rows.before" "$out/rows.restored"
    # docs/install.md says so: a dump brings the stored forms of its version, and neither ticket statuses nor sources.
    sql restored -c "INSERT INTO ringfence.ticket_status (owner_id, name, is_closed, position, created_by, updated_by)
        SELECT owner.id, status.name, is_closed, position, current_user, current_user
          FROM ringfence.owner CROSS JOIN (VALUES ('new', false, 1), ('open', false, 2), ('pending', false, 3),
               ('solved', true, 4), ('closed', true, 5)) AS status (name, is_closed, position);
        INSERT INTO ringfence.source (owner_id, name)
        SELECT DISTINCT a.owner_id, named.name FROM ringfence.access AS a CROSS JOIN unnest(a.sources) AS named (name)"
    same "$version: and, once they are put in, the same ticket statuses" "$out/statuses" <(ticket_statuses restored)
    script restored ask >"$out/ask.restored"
    same "$version: and the same wall" "$out/ask.before" "$out/ask.restored"
    sql restored -c "UPDATE ringfence.customer SET searchable = ringfence.searchable_values(attributes, owner_id) WHERE searchable <> '{}'"
    script restored search >"$out/search.restored"
    same "$version: and the same searches" "$out/search.restored" "$out/search.fresh"
}

cluster_end() {
    as_server "$BIN/pg_ctl" -D "$WORK/data" -m immediate -w stop >/dev/null
    cluster_running=""
    rm -rf "$WORK/data" "$WORK/socket"
}

workspace
package=${RINGFENCE_PACKAGE:-$WORK/package}
if [ -z "${RINGFENCE_PACKAGE:-}" ]; then
    "$ROOT/pgrx-config/setup.sh" build >&2
    "$ROOT/pgrx-config/build.sh" "$package" >&2
else
    ln -s "$package" "$WORK/package"
fi
cluster_tree
library="$WORK/tree$("$PG_CONFIG" --pkglibdir)/ringfence.so"
extension="$WORK/tree$("$PG_CONFIG" --sharedir)/extension"

checksums >"$WORK/released"
same "what is released has not changed" "$tests/released.sha256" "$WORK/released"
current=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$ROOT/ringfence.control")
# A database with the old SQL calls functions of the new library by the names that the old script gives.
nm --dynamic --defined-only "$package$("$PG_CONFIG" --pkglibdir)/ringfence.so" | awk '{print $3}' | sort -u >"$WORK/symbols"
for version in $(released); do
    [ "$version" != "$current" ] || continue
    sed -n "s/.*'MODULE_PATHNAME', *'\([^']*\)'.*/\1/p" "$tests/$version/ringfence--$version.sql" | sort -u >"$WORK/named"
    comm -23 "$WORK/named" "$WORK/symbols" >"$WORK/missing"
    same "$version: the library still has each function that the script names" /dev/null "$WORK/missing"
    upgrade_from "$version"
    cluster_end
done
[ -z "$any_failed" ]
