"""Pseudonyms."""

import hmac

import pytest

from comity.core.ids import pseudonym

GARDEN, ATTIC = bytes(range(32)), bytes(range(1, 33))


def test_a_pseudonym_is_the_first_half_of_the_hmac() -> None:
    """Anybody with the key can compute it: HMAC-SHA256 over the account's UTF-8, 128 bits in hexadecimal."""
    for account in ("@ana:example.org", "Zoë#0001"):
        assert hmac.new(GARDEN, account.encode(), "sha256").hexdigest()[:32] == pseudonym(GARDEN, account)


def test_one_account_has_unrelated_pseudonyms_in_two_communities() -> None:
    """Two communities cannot tell that two of their members are one account."""
    assert pseudonym(GARDEN, "@ana:example.org") != pseudonym(ATTIC, "@ana:example.org")
    assert pseudonym(GARDEN, "@ana:example.org") == pseudonym(GARDEN, "@ana:example.org")
    assert pseudonym(GARDEN, "@ana:example.org") != pseudonym(GARDEN, "@Ana:example.org")


def test_a_short_key_or_an_empty_account_is_an_error() -> None:
    """Neither can make a pseudonym that means something."""
    with pytest.raises(ValueError, match="32 bytes, got 5"):
        pseudonym(b"short", "@ana:example.org")
    with pytest.raises(ValueError, match="empty"):
        pseudonym(GARDEN, "")
