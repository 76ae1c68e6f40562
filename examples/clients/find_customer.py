#!/usr/bin/env python3
"""Finds customers of one owner: find_customer.py OWNER QUERY   (psycopg 3; connection by the PG* environment variables)"""

import sys

import psycopg

owner, query = sys.argv[1:3]

with psycopg.connect() as connection:
    # The owner is bound for one transaction, and is gone when it ends.
    with connection.transaction():
        connection.execute("SELECT ringfence.enter(%s)", [owner])
        for name, phones in connection.execute("SELECT name, phones FROM ringfence.search_customers(%s)", [query]):
            print(f"{name}\t{', '.join(phones)}")
