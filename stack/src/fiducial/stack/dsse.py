"""DSSE: a signed envelope around a typed payload.

The signature covers the pre-authentication encoding (PAE) of the payload's type and bytes,
so an envelope of one type can never pass for another, and no canonical JSON is needed.
DSSE protocol 1.0.2, https://github.com/secure-systems-lab/dsse.

An envelope has one form only: JSON in the order and spacing of :func:`seal`, strict base64.
Whoever changes any byte of it, even one that carries nothing, is found out.

One valid signature by one trusted key is enough; thresholds of several keys are neglected.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from fiducial.stack.keys import Signer, TrustedKeys
from fiducial.stack.refusals import Failure, Refusal, Refused

MAX_BYTES = 64 * 1024 * 1024
"""An envelope above this is refused unread: the largest real one is far below."""


@dataclass(frozen=True)
class Opened:
    """A payload whose signature held, and the key that made it."""

    payload: bytes
    key_id: str

    def json(self) -> Any:
        return json.loads(self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, signer: Signer) -> bytes:
    """A signed envelope (JSON, one line and a newline)."""
    signature = signer.sign(pae(payload_type, payload))
    return _write(payload_type, payload, [(signer.key_id, signature)])


def unseal(envelope: bytes, payload_type: str, trusted: TrustedKeys, what: str) -> Opened:
    """The payload of ``envelope`` where a trusted key signed it as ``payload_type``.

    Raises Refused: malformed envelope, wrong payload type, unknown key, bad signature.
    """
    kind, payload, signatures = _parse(envelope, what)
    if kind != payload_type:
        raise Refused(
            what, [Failure(Refusal.WRONG_TYPE, what, f"{kind!r}, expected {payload_type!r}")]
        )
    message = pae(kind, payload)
    failures: list[Failure] = []
    for key_id, signature in signatures:
        key = trusted.get(key_id)
        if key is None:
            known = ", ".join(name[:12] for name in trusted) or "none"
            failures.append(
                Failure(Refusal.UNKNOWN_KEY, what, f"key {key_id[:12]}; trusted: {known}")
            )
        elif key.verifies(signature, message):
            return Opened(payload, key_id)
        else:
            failures.append(Failure(Refusal.BAD_SIGNATURE, what, f"key {key_id[:12]}"))
    raise Refused(
        what, failures or [Failure(Refusal.BAD_SIGNATURE, what, "it carries no signature")]
    )


def _parse(envelope: bytes, what: str) -> tuple[str, bytes, list[tuple[str, bytes]]]:
    """(type, payload, [(key id, signature)]); raises Refused where the envelope is not one."""
    try:
        if len(envelope) > MAX_BYTES:
            raise ValueError(f"{len(envelope)} bytes")
        data = json.loads(envelope)
        kind = _text(data["payloadType"])
        payload = base64.b64decode(_text(data["payload"]), validate=True)
        signatures = [
            (_text(entry["keyid"]), base64.b64decode(_text(entry["sig"]), validate=True))
            for entry in data["signatures"]
        ]
    except KeyError as error:
        raise Refused(what, [Failure(Refusal.MALFORMED, what, f"no {error}")]) from None
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise Refused(what, [Failure(Refusal.MALFORMED, what, str(error))]) from None
    if _write(kind, payload, signatures) != envelope:
        raise Refused(what, [Failure(Refusal.MALFORMED, what, "not in the one canonical form")])
    return kind, payload, signatures


def _write(kind: str, payload: bytes, signatures: list[tuple[str, bytes]]) -> bytes:
    envelope = {
        "payloadType": kind,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [
            {"keyid": key_id, "sig": base64.b64encode(signature).decode()}
            for key_id, signature in signatures
        ],
    }
    return json.dumps(envelope).encode() + b"\n"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where text was expected")
    return value
