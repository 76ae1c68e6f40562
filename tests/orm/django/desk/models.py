from models import Customer  # noqa: F401
