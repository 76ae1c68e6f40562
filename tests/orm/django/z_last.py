from django.db import connection, transaction
from django.test import TransactionTestCase
from models import Customer


class LastTest(TransactionTestCase):
    def _fixture_teardown(self):
        pass

    def test_the_suite_left_nothing(self):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT ringfence.enter('Company A')")
            self.assertFalse(Customer.objects.filter(name__startswith="Only a test").exists())
