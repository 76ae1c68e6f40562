import unittest
import uuid

from sqlalchemy import create_engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy_app import Customer, OwnerSession, engine, rename
from sqlalchemy_suite import CustomerTest  # noqa: F401  (unittest runs it too)

TSAI_A = uuid.UUID("a0000000-0000-0000-0000-000000000001")
TSAI_B = uuid.UUID("b0000000-0000-0000-0000-000000000001")


def names(owner):
    with OwnerSession(owner) as session:
        return set(session.scalars(select(Customer.name)))


class RecipeTest(unittest.TestCase):
    def test_each_owner_sees_its_own(self):
        self.assertLessEqual({"Tsai Mei-Ling", "Chen Wei", "蔡美玲"}, names("Company A"))
        self.assertEqual(names("Company B"), {"Tsai Mei-Ling", "Łukasz Kowalski"})
        with self.assertRaisesRegex(DBAPIError, "no owner is selected"), Session(engine) as session:
            session.scalars(select(Customer)).all()
        with self.assertRaisesRegex(DBAPIError, "has no access to owner"):
            names("Company C")

    def test_a_customer_is_written_read_and_written_back(self):
        with OwnerSession("Company A") as session, session.begin():
            added = Customer(name="Wu", phones=["0912-000-001"], custom={"Plan": "gold"})
            session.add(added)
            session.flush()
            self.assertIsNotNone(added.id)
            self.assertEqual(added.created_at, added.updated_at)
            key = added.id
        rename("Company A", key, "Wu Mei")
        with OwnerSession("Company A") as session, session.begin():
            read = session.get_one(Customer, key)
            self.assertEqual((read.name, read.custom), ("Wu Mei", {"Plan": "gold"}))
            self.assertGreater(read.updated_at, read.created_at)
            # A transaction more in the same session enters the owner again, and so does a savepoint.
            session.commit()
        with OwnerSession("Company A") as session:
            read = session.get_one(Customer, key)
            with session.begin_nested():
                read.custom["Plan"] = "silver"
            session.commit()
            self.assertEqual(session.get_one(Customer, key).custom, {"Plan": "silver"})
        with OwnerSession("Company B") as session:
            self.assertIsNone(session.get(Customer, key))

    def test_a_suite_may_play_several_owners(self):
        with create_engine(
            "postgresql+psycopg://desk_suite@"
        ).connect() as connection, connection.begin() as transaction:
            session = {}
            for owner in ["Company A", "Company B"]:
                session[owner] = OwnerSession(owner, connection, join_transaction_mode="create_savepoint")
                with session[owner].begin():
                    session[owner].add(Customer(name="Only a test of " + owner))
            with OwnerSession("Company A", connection, join_transaction_mode="create_savepoint") as again:
                found = set(again.scalars(select(Customer.name).where(Customer.name.startswith("Only"))))
                self.assertEqual(found, {"Only a test of Company A"})
            transaction.rollback()
        self.assertNotIn("Only a test of Company A", names("Company A"))

    def test_columns_that_the_server_keeps_may_be_written(self):
        """What merges of detached objects, dataclass round trips and forms do."""
        with OwnerSession("Company A") as session:
            read = session.get_one(Customer, TSAI_A)
            before = read.created_at
            read.created_at = read.created_at.replace(year=2001)
            read.updated_at = read.created_at
            session.commit()
            self.assertEqual(read.created_at, before)

    def test_the_danger_a_session_that_is_kept_across_owners(self):
        kept = OwnerSession("Company A", expire_on_commit=False)
        read = kept.get(Customer, TSAI_A)
        kept.commit()
        kept.info["owner"] = "Company B"
        self.assertIs(kept.get(Customer, TSAI_A), read)  # from its own memory, without a query
        kept.close()

    def test_the_cure_a_session_for_each_owner(self):
        with OwnerSession("Company A", expire_on_commit=False) as session:
            self.assertIsNotNone(session.get(Customer, TSAI_A))
        with OwnerSession("Company B", expire_on_commit=False) as session:
            self.assertIsNone(session.get(Customer, TSAI_A))
            self.assertIsNotNone(session.get(Customer, TSAI_B))


class ZLastTest(unittest.TestCase):
    def test_the_suite_left_nothing(self):
        self.assertNotIn("Only a test", names("Company A"))


unittest.main()
