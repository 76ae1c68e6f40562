"""Runs the recipe for Django: its own suite, and requests as users of two owners, on a database that exists."""

import os
import subprocess
import sys

import django
from django.conf import settings
from django.core.management import call_command

NAME = os.environ["PGDATABASE"]

settings.configure(
    SECRET_KEY="only for this test",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": NAME,
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ["PGPASSWORD"],
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "TEST": {"NAME": NAME, "MIGRATE": False},
        }
    },
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "desk",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "owner_middleware.OwnerMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF="urls",
    USE_TZ=True,
)
django.setup()
import admin  # noqa: E402,F401  (registers)

call_command("migrate", verbosity=0)

# inspectdb reads a row of what it describes: it is run as a role of one owner.
environment = os.environ | {"PGUSER": "desk_bi_a", "PGOPTIONS": "-c search_path=app"}
looked = subprocess.run(
    [
        os.path.join(os.path.dirname(sys.executable), "django-admin"),
        "inspectdb",
        "--include-views",
        "--settings=look",
        "--pythonpath=.",
    ],
    env=environment,
    capture_output=True,
    text=True,
    check=True,
).stdout
for part in ["class Customer(models.Model)", "id = models.UUIDField", "custom = models.JSONField"]:
    assert part in looked and "Unable to inspect" not in looked, looked

from django.test.runner import DiscoverRunner  # noqa: E402

failures = DiscoverRunner(keepdb=True, interactive=False, verbosity=0).run_tests(
    ["requests_try", "django_suite", "z_last"]
)
sys.exit(bool(failures))
