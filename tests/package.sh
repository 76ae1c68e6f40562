#!/usr/bin/env bash
# make test-package: makes the packages, and installs, upgrades and removes the Debian package in a fresh Debian 12 without Rust, in which
# nothing else is. As root; it fetches Debian's base system and server, some 100 MB, and takes a few minutes.
. "$(dirname "$0")/../pgrx-config/common.sh"

[ "$(id -u)" = 0 ] || die "make test-package makes a Debian in a directory: it must run as root"
"$ROOT/pgrx-config/setup.sh" packages lintian debootstrap
"$ROOT/pgrx-config/package.sh"
cd "$ROOT"
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" ringfence.control)
architecture=$(dpkg --print-architecture)
name="postgresql-$PG_MAJOR-ringfence"
package="dist/${name}_$version-1_$architecture.deb"
failed=0
ok() { printf 'ok      package: %s\n' "$1"; }
not_ok() { failed=$((failed + 1)); printf 'FAILED  package: %s\n' "$1"; }
# expect NAME EXPECTED COMMAND ...: what a command prints holds that.
expect() {
    local name=$1 expected=$2 answer
    shift 2
    answer=$("$@" 2>&1) || true
    if [[ "$answer" == *"$expected"* ]]; then ok "$name"; else printf '%s\n' "$answer"; not_ok "$name"; fi
}

if lintian --fail-on error,warning "$package"; then ok "lintian"; else not_ok "lintian"; fi
work=$(mktemp -d)
root="$work/debian"
chrooted() { LC_ALL=C.UTF-8 chroot "$root" "$@"; }
ended() {
    local status=$?
    if [ -d "$root" ]; then chrooted pg_ctlcluster "$PG_MAJOR" main stop -m immediate >/dev/null 2>&1 || true; fi
    rm -rf "$work"
    exit "$status"
}
trap ended EXIT
dpkg-deb -x "$package" "$work/unpacked"
if readelf --section-headers --wide "$work/unpacked/usr/lib/postgresql/$PG_MAJOR/lib/ringfence.so" | grep -qE '\.(symtab|debug_)'; then not_ok "the library is stripped"; else ok "the library is stripped"; fi
# That of PGXN holds what builds it.
python3 -m zipfile -e "dist/ringfence-$version.zip" "$work/pgxn"
for file in META.json Makefile Cargo.lock sql/install.sql README.md LICENSE pgrx-config/install.sh; do
    [ -s "$work/pgxn/ringfence-$version/$file" ] || not_ok "the PGXN archive lacks $file"
done
ok "the PGXN archive"

# Debian 12 has one server; for the others, whether the package is well made is all that can be tried in it.
if [ "$PG_MAJOR" != 15 ]; then
    printf '\n%d failed\n' "$failed"
    [ "$failed" = 0 ]
    exit
fi

say "A fresh Debian 12"
debootstrap --variant=minbase bookworm "$root" >"$work/debootstrap.log" || { tail "$work/debootstrap.log"; die "debootstrap failed"; }
cp /etc/resolv.conf "$root/etc/"
printf 'deb http://deb.debian.org/debian bookworm main\ndeb http://deb.debian.org/debian-security bookworm-security main\n' >"$root/etc/apt/sources.list"
# No service starts by itself.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
install_packages() {
    chrooted apt-get -qq update >>"$work/apt.log" 2>&1 &&
        chrooted env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >>"$work/apt.log" 2>&1 || { tail "$work/apt.log"; return 1; }
}
# The version before: the same package with the released files.
released=$(cd tests/upgrade && printf '%s\n' */ | tr -d / | sort -V | tail -n 1)
dpkg-deb -R "$package" "$work/released"
install -m 644 "$("$ROOT/tests/upgrade/build.sh" "$released")" "$work/released/usr/lib/postgresql/$PG_MAJOR/lib/ringfence.so"
rm "$work/released/usr/share/postgresql/$PG_MAJOR/extension"/ringfence--*
cp "tests/upgrade/$released/ringfence--$released.sql" "$work/released/usr/share/postgresql/$PG_MAJOR/extension"
sed -i "s/^default_version = .*/default_version = '$released'/" "$work/released/usr/share/postgresql/$PG_MAJOR/extension/ringfence.control"
sed -i "s/^Version: .*/Version: $released-1/" "$work/released/DEBIAN/control"
dpkg-deb --root-owner-group --build "$work/released" "$root/old.deb" >/dev/null
cp "$package" "$root/new.deb"

psql_as() { chrooted setpriv --reuid "$(chrooted id -u postgres)" --clear-groups psql -X -At "$@"; }
if install_packages /old.deb postgresql-client-15; then ok "it installs, with what it depends on"; else die "it does not install"; fi
[ ! -e "$root/usr/bin/cargo" ] && [ ! -e "$root/usr/bin/cc" ] || not_ok "there is a compiler in the fresh Debian"
chrooted pg_ctlcluster "$PG_MAJOR" main start || die "the server does not start"
psql_as -q -c "CREATE DATABASE old ENCODING UTF8 LOCALE 'C.UTF-8' TEMPLATE template0"
expect "CREATE EXTENSION, version $released" 'CREATE EXTENSION' psql_as -d old -c 'CREATE EXTENSION ringfence'
psql_as -q -d old -c "INSERT INTO ringfence.owner (name) VALUES ('Company A'); CREATE ROLE app LOGIN" -c "SELECT ringfence.grant_access('app', 'Company A', '{agent}')" >/dev/null
psql_as -q -d old -c "SET ROLE app" -c "INSERT INTO ringfence.customer_card (name) VALUES ('Tsai')"
if install_packages /new.deb; then ok "it upgrades"; else not_ok "it upgrades"; fi
expect "the new library asks for ALTER EXTENSION" 'ALTER EXTENSION ringfence UPDATE' psql_as -d old -c "SET ROLE app" -c "SELECT name FROM ringfence.customer"
expect "ALTER EXTENSION ringfence UPDATE" 'ALTER EXTENSION' psql_as -d old -c 'ALTER EXTENSION ringfence UPDATE'
expect "what was there is there" Tsai psql_as -d old -c "SET ROLE app" -c "SELECT name FROM ringfence.customer"
psql_as -q -d old -c "SELECT ringfence.revoke_access('app', 'Company A')" >/dev/null

say "The story of the demo"
mkdir "$root/demo"
cp -r examples "$root/demo"
chmod -R a+rX "$root/demo"
psql_as -q -c "CREATE DATABASE demo ENCODING UTF8 LOCALE 'C.UTF-8' TEMPLATE template0"
# The roles of the story connect without passwords here.
sed -i -E 's/^(local +all +all +)peer/\1trust/; s/^(local +all +postgres +)peer/\1trust/' "$root/etc/postgresql/$PG_MAJOR/main/pg_hba.conf"
chrooted pg_ctlcluster "$PG_MAJOR" main reload
in_demo() { chrooted sh -c 'cd /demo && "$@"' sh "$@"; }
in_demo psql -q -X -U postgres -d demo -f examples/setup.sql >"$work/setup.log" 2>&1 && in_demo psql -q -X -U postgres -d demo -f examples/load.sql >>"$work/setup.log" 2>&1 || cat "$work/setup.log"
psql_as -q -d demo -c ANALYZE
in_demo psql -X -U postgres -d demo -f examples/demo.sql >"$work/demo.out" 2>/dev/null || true
if diff "$ROOT/tests/expected/demo.out" "$work/demo.out"; then ok "the demo tells its story"; else not_ok "the demo tells its story"; fi

chrooted env DEBIAN_FRONTEND=noninteractive apt-get -qq remove -y "$name" >>"$work/apt.log" 2>&1 && ok "it is removed" || not_ok "it is removed"
if find "$root/usr/lib/postgresql" "$root/usr/share/postgresql" "$root/usr/share/doc/$name" -name '*ringfence*' 2>/dev/null | grep .; then not_ok "nothing is left"; else ok "nothing is left"; fi
expect "without it nothing is shown" 'could not access file' psql_as -d demo -c "SET ROLE agent_a" -c "SELECT name FROM ringfence.customer"

printf '\n%d failed\n' "$failed"
[ "$failed" = 0 ]
