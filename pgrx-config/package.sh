#!/usr/bin/env bash
# Makes packages of this version in dist/: package.sh
# - postgresql-NN-ringfence_VERSION-1_ARCH.deb, for the server that Debian and apt.postgresql.org have as postgresql-NN, NN being that of PG_MAJOR
# - ringfence-VERSION.zip, the source as PGXN distributes it
. "$(dirname "$0")/common.sh"

"$ROOT/pgrx-config/setup.sh" build
cd "$ROOT"
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" ringfence.control)
maintainer='The ringfence developers <ringfence@users.noreply.github.com>'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p dist

# Of what the server of PG_CONFIG has; where it goes is Debian's.
"$ROOT/pgrx-config/build.sh" "$work/built"
say "Packing"
name="postgresql-$PG_MAJOR-ringfence"
root="$work/$name"
library="$root/usr/lib/postgresql/$PG_MAJOR/lib"
extension="$root/usr/share/postgresql/$PG_MAJOR/extension"
documents="$root/usr/share/doc/$name"
install -d "$library" "$extension" "$documents" "$root/DEBIAN"
install -m 644 "$work/built$("$PG_CONFIG" --pkglibdir)/ringfence.so" "$library"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$library/ringfence.so"
install -m 644 "$work/built$("$PG_CONFIG" --sharedir)"/extension/ringfence* "$extension"
gzip -9n <README.md >"$documents/README.md.gz"
gzip -9n <CHANGELOG.md >"$documents/changelog.gz"
# The text of the licence, indented as the format wants it: empty lines are points.
{
    printf '%s\n' 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/' 'Upstream-Name: ringfence' '' \
        'Files: *' 'Copyright: 2026, the ringfence developers' 'License: PostgreSQL'
    sed -e 1,4d -e 's/^$/./' -e 's/^/ /' LICENSE
    # See NOTICE.
    printf '%s\n' '' 'Files: src/search/han.rs' 'Copyright: BYVoid and contributors of OpenCC' 'License: Apache-2.0' \
        ' On Debian systems, the text of the licence is in /usr/share/common-licenses/Apache-2.0.'
} >"$documents/copyright"
# One entry for each version that CHANGELOG.md has, the newest first, and one for this version if it is not released.
{
    released=$(sed -n 's/^## \[\([0-9][^]]*\)\].*/\1/p' CHANGELOG.md)
    seconds=$(git log -1 --format=%ct 2>/dev/null || date +%s)
    for entry in $(printf '%s\n' "$version" "$released" 0.1.0 | sed '/^$/d' | sort -Vru); do
        printf 'ringfence (%s-1) unstable; urgency=medium\n\n  * %s\n\n -- %s  %s\n\n' \
            "$entry" "Version $entry: see changelog.gz." "$maintainer" "$(date -R --date="@$seconds")"
        seconds=$((seconds - 86400))
    done
} | gzip -9n >"$documents/changelog.Debian.gz"
chmod 644 "$documents"/*

mkdir "$work/debian"
printf 'Source: ringfence\n\nPackage: %s\nArchitecture: any\n' "$name" >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O -e"$library/ringfence.so" 2>"$work/shlibdeps.log" | sed 's/^shlibs:Depends=//') || { cat "$work/shlibdeps.log" >&2; die "dpkg-shlibdeps failed"; }
cat >"$root/DEBIAN/control" <<CONTROL
Package: $name
Source: ringfence
Version: $version-1
Architecture: $(dpkg --print-architecture)
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f 1)
Depends: postgresql-$PG_MAJOR, $depends
Section: database
Priority: optional
Description: tenant isolation inside PostgreSQL $PG_MAJOR
 ringfence keeps the customers of many companies in one PostgreSQL database, and
 shows each session those of one company alone. Row-level security keyed on a
 setting of the session does it, so any client that can run SQL is bound by it.
 .
 It has owners, projects, fields with types, customers with phones and e-mails,
 search that finds names with typos, signed tokens, and views for reports. In
 each database that shall have it: CREATE EXTENSION ringfence; after an upgrade
 of this package: ALTER EXTENSION ringfence UPDATE;
CONTROL
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
chmod -R u+rwX,go+rX,go-w "$root"
package="dist/${name}_$version-1_$(dpkg --print-architecture).deb"
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null

# PGXN's: what is committed, in a directory of its name and version.
command -v git >/dev/null && git rev-parse HEAD >/dev/null 2>&1 || die "the PGXN archive is made of a git checkout"
python3 - META.json "$version" <<'CHECK'
import json, re, sys
meta, version = json.load(open(sys.argv[1])), sys.argv[2]
# https://pgxn.org/spec/
for key in ('name', 'version', 'abstract', 'maintainer', 'license', 'provides', 'meta-spec'):
    assert meta.get(key), f'META.json has no {key}'
assert re.fullmatch(r'\d+\.\d+\.\d+', version), f'{version} is not a semantic version of PGXN'
assert meta['version'] == version == meta['provides']['ringfence']['version'], f'META.json is not of version {version}'
assert re.fullmatch(r'1\.\d+\.\d+', meta['meta-spec']['version'])
import os
for extension in meta['provides'].values():
    for key in ('file', 'docfile'):
        assert os.path.exists(extension[key]), f'there is no {extension[key]}'
CHECK
archive="dist/ringfence-$version.zip"
git archive --format=zip -9 --prefix="ringfence-$version/" -o "$archive" HEAD
ls -l "$package" "$archive"
