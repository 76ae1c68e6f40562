import os
import subprocess
import sys

import psycopg2

dbt = os.path.join(os.path.dirname(sys.executable), "dbt")
os.environ["PGUSER"] = "desk_bi_a"
subprocess.run([dbt, "run", "--profiles-dir", ".", "--project-dir", "."], check=True)
with psycopg2.connect("") as connection, connection.cursor() as cursor:
    cursor.execute("SELECT sum(customers) FROM company_a.customers_by_plan")
    assert cursor.fetchone() == (3,)
os.environ["PGUSER"] = "desk_bi_b"
with psycopg2.connect("") as connection, connection.cursor() as cursor:
    try:
        cursor.execute("SELECT * FROM company_a.customers_by_plan")
        sys.exit("another owner's role reads the copy")
    except psycopg2.errors.InsufficientPrivilege:
        pass
