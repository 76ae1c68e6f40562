import os

import pandas
from sqlalchemy import create_engine, text

import report

with report.engine.begin() as connection:
    connection.execute(text("SELECT ringfence.enter('Company A')"))
    connection.execute(text("UPDATE app.customer SET custom = '{\"Plan\": \"gold\"}' WHERE name LIKE 'Tsai%'"))
found = report.customers_by_plan("Company A")
assert found["customers"].tolist() == [1, 2] and found["plan"].iloc[0] == "gold", found
assert report.customers_by_plan("Company B")["customers"].tolist() == [2]

# A role of one owner: nothing to enter, nor another owner to ask for.
os.environ["PGUSER"] = "desk_bi_b"
with create_engine("postgresql+psycopg://").begin() as connection:
    names = pandas.read_sql("SELECT name FROM app.customer ORDER BY name", connection)["name"].tolist()
assert names == ["Tsai Mei-Ling", "Łukasz Kowalski"], names
