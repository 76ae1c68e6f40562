# Sourced by tests/upgrade.sh and tests/pg_upgrade.sh: what is asked of a database before and after.

"$ROOT/pgrx-config/setup.sh" packages python3 xz-utils binutils >&2
tests="$ROOT/tests/upgrade"
any_failed=""

ok() { [ -n "${show_diff:-}" ] || printf 'ok      %s: %s\n' "$kind" "$1"; }
not_ok() { any_failed=yes; printf 'FAILED  %s: %s\n' "$kind" "$1"; }
# same NAME FILE FILE: two files that must be equal.
same() {
    if diff --unified=0 --label "$2" --label "$3" "$2" "$3" >"$WORK/diff"; then ok "$1"; else
        cat "$WORK/diff"
        not_ok "$1"
    fi
}

sql() { psql -q -X -At -d "$1" -v ON_ERROR_STOP=1 "${@:2}"; }
script() { psql -q -X -d "$1" -f "$tests/$2.sql" -v token="$token" 2>&1 | sed 's/^psql:[^ ]*: //'; }
catalog() { psql -q -X -d "$1" -v ON_ERROR_STOP=1 -f "$tests/catalog.sql"; }
# Tables with their columns, as they are now: those rows must stay. But for what is computed of other columns: an upgrade may do that better.
columns() {
    sql "$1" -c "SELECT c.oid::regclass, string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_class c JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
            AND (attrelid, attname) NOT IN (('ringfence.customer'::regclass, 'normal_phones'), ('ringfence.customer'::regclass, 'normal_emails'),
                                            ('ringfence.customer'::regclass, 'searchable'), ('ringfence.unique_value'::regclass, 'digest'))
        WHERE relkind = 'r' AND relnamespace IN ('ringfence'::regnamespace, 'shop'::regnamespace) GROUP BY c.oid ORDER BY c.oid::regclass::text"
}
rows() {
    local table list
    while IFS='|' read -r table list; do
        sql "$1" -c "SELECT '$table', r FROM (SELECT $list FROM $table) AS r ORDER BY r::text COLLATE \"C\""
    done <"$2"
}
# pg_dump writes a new random word into each dump; ids of fields and projects are in report views.
schema() { pg_dump --schema-only "$1" | sed -E -e '/^\\(un)?restrict /d' -e 's/[0-9a-f]{8}([-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}/id/g'; }
# Signed for Company A with the key of fill.sql; it never expires while a test runs.
token=$(python3 - <<'TOKEN'
import base64, hashlib, hmac, json, time
part = lambda bytes: base64.urlsafe_b64encode(bytes).rstrip(b'=')
signed = b'.'.join(part(json.dumps(p).encode()) for p in ({'alg': 'HS256', 'kid': 'test'}, {'owner': 'Company A', 'exp': int(time.time()) + 3000}))
print((signed + b'.' + part(hmac.new(b'a secret that the tests alone know', signed, hashlib.sha256).digest())).decode())
TOKEN
)

filled_database() {
    createdb "$1"
    sql "$1" -c "CREATE EXTENSION ringfence"
    sql "$1" -f "$tests/fill.sql" >/dev/null
}
