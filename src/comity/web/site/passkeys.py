"""Passkeys (WebAuthn, level 3): what is asked of an authenticator, and whether its answer holds."""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from comity.stores.access_contract import PasskeyRow, PersonRow

_NAME: Final = "Comity"


class Party(NamedTuple):
    """Whom passkeys are for: the host they are bound to, and the origin that browsers vouch for."""

    host: str
    origin: str


class Asked(NamedTuple):
    """What goes to the browser, as JSON, and the challenge that its answer must hold."""

    options: str
    challenge: bytes


def ask_new(party: Party, person: PersonRow, has: Sequence[PasskeyRow]) -> Asked:
    """Ask for a new passkey of this person; has: those that are not to be made again."""
    options = generate_registration_options(
        rp_id=party.host,
        rp_name=_NAME,
        user_id=person.handle,
        user_name=person.name,
        user_display_name=person.name,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=key.id) for key in has],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return Asked(options_to_json(options), options.challenge)


def new(party: Party, asked: bytes, answer: str, *, person: int, label: str, at: int) -> PasskeyRow | None:
    """The passkey that the answer brings; None if it does not hold."""
    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=asked,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return PasskeyRow(found.credential_id, person, found.credential_public_key, found.sign_count, label, at, 0)


def ask(party: Party) -> Asked:
    """Ask for any passkey that is bound to this host: who it is, the authenticator says."""
    options = generate_authentication_options(rp_id=party.host, user_verification=UserVerificationRequirement.REQUIRED)
    return Asked(options_to_json(options), options.challenge)


def which(answer: str) -> bytes:
    """The id of the passkey that answers, b"" if that cannot be read."""
    try:
        found = json.loads(answer)
        return base64url_to_bytes(found["rawId"]) if isinstance(found["rawId"], str) else b""
    except (ValueError, KeyError, TypeError):
        return b""


def signs(party: Party, asked: bytes, answer: str, key: PasskeyRow) -> int | None:
    """The authenticator's counter, if the answer holds; None if not, or if the counter shows a copy."""
    try:
        return verify_authentication_response(
            credential=answer,
            expected_challenge=asked,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.signs,
            require_user_verification=True,
        ).new_sign_count
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
