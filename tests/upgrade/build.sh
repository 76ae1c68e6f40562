#!/usr/bin/env bash
# The library of a released version, for the server of PG_CONFIG: build.sh VERSION prints where it is.
# It is built of the source that tests/upgrade/VERSION keeps, in the target directory of this checkout, which has its dependencies already.
. "$(dirname "$0")/../../pgrx-config/common.sh"

version=$1
source="$ROOT/tests/upgrade/$version/source.tar.xz"
target=${CARGO_TARGET_DIR:-$ROOT/target}
directory="$target/released/$version-pg$PG_MAJOR"
made_of=$(cat "$source" "$ROOT/rust-toolchain.toml" | sha256sum | cut -d ' ' -f 1)-$("$PG_CONFIG" --version | tr -c 'A-Za-z0-9.\n' -)
library="$directory/ringfence-$made_of.so"
if [ ! -e "$library" ]; then
    rm -rf "$directory"
    mkdir -p "$directory"
    tar -xJf "$source" -C "$directory"
    # A name of its own: cargo would take one library for the other. And no tests and benchmarks, whose files are not there.
    sed -i -e 's/^crate-type = .*/&\nname = "ringfence_released"/' -e '/^\[\[/,$d' "$directory/Cargo.toml"
    cd "$directory"
    # shellcheck disable=SC2046
    CARGO_TARGET_DIR="$target" cargo build --quiet --release --locked --lib $(features) >&2
    cp "$target/release/libringfence_released.so" "$library.new"
    mv "$library.new" "$library"
fi
printf '%s\n' "$library"
