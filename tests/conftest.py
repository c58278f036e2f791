"""What tests of several areas share: a real homeserver, a false one, and asyncio to run them on."""

import pytest
from hypothesis import settings

# One commit, one answer, on a busy machine too. `make explore` looks for new examples, and what it finds becomes one.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")

pytest_plugins = ["homeserver", "fake_homeserver", "postgres_server", "store_kinds"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests marked ``anyio`` run on asyncio."""
    return "asyncio"
