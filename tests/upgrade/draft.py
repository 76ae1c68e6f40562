"""Drafts an upgrade script: draft.py UPGRADED NEW prints what the second dump has and the first has not, or has otherwise.

Both are made by `pg_dump --schema-only --binary-upgrade`, which writes each object of an extension as statements of its own, in an order in which
they can be run. What only the first has is named in a comment at the end: whether and how to drop it is for whoever writes the script. So is what
CREATE OR REPLACE cannot do (a changed table, type, operator or index), and rows that the extension begins with.
"""
import re
import sys

REPLACEABLE = ("FUNCTION", "PROCEDURE", "VIEW", "TRIGGER", "AGGREGATE")


def entries(path):
    """The statements of each object, by the object's name; ids and what makes them members of the extension left out."""
    found = {}
    parts = re.split(r"^--\n-- (Name: .*)\n--\n", open(path, encoding="utf-8").read(), flags=re.M)
    for header, body in zip(parts[1::2], parts[2::2]):
        name = re.sub(r"; Owner: .*", "", header)
        body = re.sub(r"^-- For binary upgrade.*\n", "", body, flags=re.M)
        body = re.sub(r"^SELECT pg_catalog\.binary_upgrade_.*;\n", "", body, flags=re.M)
        body = re.sub(r"^ALTER EXTENSION .* ADD .*;\n", "", body, flags=re.M)
        body = re.sub(r"^UPDATE pg_catalog\.pg_(class|attribute|constraint)\n(.*\n)*?.*;\n", "", body, flags=re.M)
        body = re.sub(r"^SET default_\w+ = .*;\n", "", body, flags=re.M)
        body = re.sub(r"^--\n-- PostgreSQL database dump complete\n(.*\n)*", "", body, flags=re.M)
        body = re.sub(r"^\\(un)?restrict .*\n", "", body, flags=re.M)
        body = re.sub(r",? ?pg_attver=\d+|^ALTER TABLE ONLY .* ALTER COLUMN .* SET \(pg_attver=\d+\);\n", "", body, flags=re.M)
        # What belongs to none of the extension's roles belongs to whoever runs the script.
        body = re.sub(r"^ALTER .* OWNER TO (?!ringfence_)\S+;\n", "", body, flags=re.M)
        body = body.replace("AS '$libdir/ringfence'", "AS 'MODULE_PATHNAME'")
        # Blank lines that are left of statements; those inside of a function's body stay.
        pieces = re.split(r"(\$\w*\$.*\$\w*\$)", body, flags=re.S)
        found[name] = "".join(piece if n % 2 else re.sub(r"\n{2,}", "\n", piece) for n, piece in enumerate(pieces)).strip()
    return found


def kind(name):
    return re.search(r"; Type: ([A-Z ]+)", name).group(1)


upgraded, new = entries(sys.argv[1]), entries(sys.argv[2])
for name, body in new.items():
    if "ringfence" not in name + body or upgraded.get(name) == body or not body:
        continue
    if kind(name) in REPLACEABLE:
        body = re.sub(r"^CREATE (FUNCTION|PROCEDURE|VIEW|TRIGGER|AGGREGATE) ", r"CREATE OR REPLACE \1 ", body, flags=re.M)
    elif name in upgraded and kind(name) not in ("COMMENT", "ACL", "DEFAULT ACL"):
        body = f"-- CHANGED, by hand. It was:\n" + "\n".join("--   " + line for line in upgraded[name].splitlines()) + f"\n-- and is:\n{body}"
    print(f"-- {name}\n{body}\n")
for name in upgraded:
    if name not in new and "ringfence" in name + upgraded[name]:
        print(f"-- GONE, drop it if it shall go: {name}")
