#!/usr/bin/env python3
"""Imports a CSV file by a template: import.py OWNER TEMPLATE FILE [ENCODING] [DELIMITER]   (psycopg 3; connection by the PG* environment
variables)

The rows go to the server as text, in a temporary table with the columns of the file. Lines that are rejected are told."""

import csv
import sys

import psycopg
from psycopg import sql

owner, template, path = sys.argv[1:4]
# utf-8-sig takes a byte order mark away; cp1250 and big5 are what spreadsheets write.
encoding = sys.argv[4] if len(sys.argv) > 4 else "utf-8-sig"
delimiter = sys.argv[5] if len(sys.argv) > 5 else ";"

with open(path, encoding=encoding, newline="") as file, psycopg.connect() as connection:
    rows = csv.reader(file, delimiter=delimiter)
    columns = next(rows)
    with connection.transaction():
        connection.execute("SELECT ringfence.enter(%s)", [owner])
        definition = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(column)) for column in columns)
        connection.execute(sql.SQL("CREATE TEMP TABLE import_file ({}) ON COMMIT DROP").format(definition))
        with connection.cursor().copy("COPY import_file FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        actions = {}
        for line, action, reason in connection.execute("SELECT line, action, reason FROM ringfence.import_customers(%s, 'import_file'::regclass)", [template]):
            actions[action] = actions.get(action, 0) + 1
            if action == "rejected":
                print(f"line {line}: {reason}")
    print(", ".join(f"{count} {action}" for action, count in sorted(actions.items())))
