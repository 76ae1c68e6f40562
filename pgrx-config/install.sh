#!/usr/bin/env bash
# Installs ringfence into the server of a pg_config: install.sh PG_CONFIG
[ -x "${1:-}" ] || { echo "error: say which server: make install PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config" >&2; exit 2; }
export PG_CONFIG="$1"
. "$(dirname "$0")/common.sh"

"$ROOT/pgrx-config/setup.sh" build
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT
"$ROOT/pgrx-config/build.sh" "$package"

say "Installing into $("$PG_CONFIG" --pkglibdir) and $("$PG_CONFIG" --sharedir)/extension"
# Never written over in place: a running server may have the old library mapped. A rename gives it a new file.
place() {
    as_root install -m "$1" "$2" "$3/.$(basename "$2").new"
    as_root mv -f "$3/.$(basename "$2").new" "$3/$(basename "$2")"
}
place 755 "$package$("$PG_CONFIG" --pkglibdir)/ringfence.so" "$("$PG_CONFIG" --pkglibdir)"
for file in "$package$("$PG_CONFIG" --sharedir)"/extension/ringfence*; do
    place 644 "$file" "$("$PG_CONFIG" --sharedir)/extension"
done
echo "Now, in each database that shall have it: CREATE EXTENSION ringfence;"
