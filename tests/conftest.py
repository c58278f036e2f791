"""What tests of several areas share: a real homeserver, a false one, and asyncio to run them on."""

import pytest

pytest_plugins = ["homeserver", "fake_homeserver"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests marked ``anyio`` run on asyncio."""
    return "asyncio"
