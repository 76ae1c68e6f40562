# Sourced by the other scripts here: where things are, and how they talk.

set -euo pipefail

PGRX_VERSION=0.18.1
PG_MAJOR="${PG_MAJOR:-15}"
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PG_CONFIG="${PG_CONFIG:-/usr/lib/postgresql/$PG_MAJOR/bin/pg_config}"
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

features() { printf '%s' "--no-default-features --features pg$PG_MAJOR"; }
