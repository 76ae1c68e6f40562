#!/usr/bin/env bash
# When this version is released: keeps its source and its install script in tests/upgrade/VERSION, and the checksums of what is released. From then
# on tests/upgrade.sh upgrades databases of this version too, and fails where a released file changes.
. "$(dirname "$0")/../../pgrx-config/common.sh"

cd "$ROOT"
[ -z "$(git status --porcelain -- src sql Cargo.toml Cargo.lock ringfence.control)" ] || die "commit first: the source is taken from git"
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" ringfence.control)
[ ! -e "tests/upgrade/$version" ] || die "version $version has been released"
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT
pgrx-config/build.sh "$package"
mkdir "tests/upgrade/$version"
git archive --format=tar HEAD src sql Cargo.toml Cargo.lock ringfence.control | xz -9e >"tests/upgrade/$version/source.tar.xz"
cp "$package$("$PG_CONFIG" --sharedir)/extension/ringfence--$version.sql" "tests/upgrade/$version/"
sha256sum "tests/upgrade/$version/ringfence--$version.sql" "tests/upgrade/$version/source.tar.xz" sql/ringfence--*--"$version".sql >>tests/upgrade/released.sha256
