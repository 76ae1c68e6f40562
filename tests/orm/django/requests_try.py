from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client, TransactionTestCase
from models import Customer


class RequestTest(TransactionTestCase):
    """Each request commits, as in production."""

    # TRUNCATE would be sent to the tables of all apps; what these tests write goes with the database.
    def _fixture_teardown(self):
        pass

    def client_of(self, owner):
        user, _ = User.objects.get_or_create(username=owner, defaults={"is_staff": True, "is_superuser": True})
        user.groups.set([Group.objects.get_or_create(name=owner)[0]])
        client = Client(raise_request_exception=False)
        client.force_login(user)
        return client

    def test_each_owner_sees_its_own(self):
        self.assertIn("蔡美玲", self.client_of("Company A").get("/names").content.decode())
        self.assertEqual(self.client_of("Company B").get("/names").content.decode(), "Tsai Mei-Ling,Łukasz Kowalski")
        self.assertEqual(self.client_of("Company C").get("/names").status_code, 500)
        with self.assertRaisesRegex(ProgrammingError, "no owner is selected"):
            Client().get("/names")
        with self.assertRaisesRegex(ProgrammingError, "no owner is selected"):
            list(Customer.objects.all())

    def test_a_view_that_fails_writes_nothing(self):
        client = self.client_of("Company A")
        self.assertEqual(client.get("/fail").status_code, 500)
        self.assertNotIn("Only a test", client.get("/names").content.decode())

    def test_a_response_that_streams(self):
        client = self.client_of("Company B")
        with self.assertRaisesRegex(ProgrammingError, "no owner is selected"):
            client.get("/stream").getvalue()
        self.assertEqual(client.get("/stream_with_owner").getvalue().decode(), "Tsai Mei-LingŁukasz Kowalski")

    def test_the_admin_adds_changes_and_lists(self):
        client = self.client_of("Company A")
        form = {"name": "Wu", "phones": "0912-000-001", "custom": '{"Plan": "gold"}'}
        self.assertEqual(client.post("/admin/desk/customer/add/", form).status_code, 302)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT ringfence.enter('Company A')")
            added = Customer.objects.get(name="Wu")
            self.assertEqual((added.phones, added.custom), (["0912-000-001"], {"Plan": "gold"}))
        change = f"/admin/desk/customer/{added.id}/change/"
        self.assertEqual(client.get(change).status_code, 200)
        self.assertEqual(client.post(change, form | {"name": "Wu Mei"}).status_code, 302)
        listed = client.get("/admin/desk/customer/?q=wu").content.decode()
        self.assertIn("Wu Mei", listed)
        self.assertNotIn("Łukasz", client.get("/admin/desk/customer/").content.decode())
        of_b = self.client_of("Company B")
        self.assertEqual(of_b.get(change).status_code, 302)  # the admin's way to say: there is none
        self.assertNotIn("Wu Mei", of_b.get("/admin/").content.decode())
        self.assertFalse(LogEntry.objects.filter(object_repr__contains="Wu").exists())
