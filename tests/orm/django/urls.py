from django.contrib import admin
from django.db import connection, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from models import Customer
from owner_middleware import owner_of


def names(request):
    return HttpResponse(",".join(sorted(Customer.objects.values_list("name", flat=True))))


def fail(request):
    Customer.objects.create(name="Only a test, that failed")
    raise ValueError("a fault of the view")


def stream(request):
    return StreamingHttpResponse(name for name in Customer.objects.values_list("name", flat=True).iterator())


def stream_with_owner(request):
    owner = owner_of(request.user)

    def names():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT ringfence.enter(%s)", [owner])
            yield from Customer.objects.order_by("name").values_list("name", flat=True).iterator()

    return StreamingHttpResponse(names())


urlpatterns = [
    path("stream", stream),
    path("stream_with_owner", stream_with_owner),
    path("admin/", admin.site.urls),
    path("names", names),
    path("fail", fail),
]
