"""Keys and envelopes: who signed, and that not one byte moved."""

from __future__ import annotations

import base64
import json
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.stack import dsse
from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.keys import (
    PrivateKey,
    create_private_key,
    load_private_key,
    load_public_key,
    load_trusted_keys,
    public_path,
)
from fiducial.stack.refusals import Refusal, Refused

KIND = "application/vnd.in-toto+json"


def test_a_new_key_is_readable_by_its_owner_alone_and_comes_back_the_same(tmp_path):
    path = tmp_path / "keys" / "signing.pem"
    made = create_private_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_private_key(path).key_id == made.key_id
    assert load_public_key(public_path(path)).key_id == made.key_id
    assert load_trusted_keys([path.parent]).keys() == {made.key_id}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_touch_is_refused(tmp_path, mode):
    path = tmp_path / "signing.pem"
    create_private_key(path)
    path.chmod(mode)
    with pytest.raises(EnvironmentProblem, match=r"refused.*chmod 600") as caught:
        load_private_key(path)
    assert caught.value.exit_code == 3


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "signing.pem"
    made = create_private_key(path)
    with pytest.raises(InputError, match="exists already"):
        create_private_key(path)
    assert load_private_key(path).key_id == made.key_id


def test_a_missing_key_says_how_to_make_one(tmp_path):
    with pytest.raises(EnvironmentProblem, match="fiducial key new"):
        load_private_key(tmp_path / "none.pem")


def test_trusting_nobody_is_an_error_and_not_a_pass(tmp_path):
    with pytest.raises(EnvironmentProblem, match="no trusted public key"):
        load_trusted_keys([tmp_path])


def test_the_signed_bytes_are_those_of_the_dsse_specification():
    # the example of protocol.md: payloadType http://example.com/HelloWorld, body "hello world"
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == expected


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_what_was_sealed_is_unsealed(payload):
    key = PrivateKey.generate()
    opened = dsse.unseal(dsse.seal(KIND, payload, key), KIND, {key.key_id: key.public}, "it")
    assert (opened.payload, opened.key_id) == (payload, key.key_id)


def test_no_bit_of_an_envelope_can_be_changed():
    key = PrivateKey.generate()
    envelope = dsse.seal(KIND, b'{"passed": false}', key)
    for position in range(len(envelope)):
        for bit in range(8):
            altered = bytearray(envelope)
            altered[position] ^= 1 << bit
            with pytest.raises(Refused):
                dsse.unseal(bytes(altered), KIND, {key.key_id: key.public}, "it")


def test_an_envelope_of_another_type_is_refused_though_its_signature_holds():
    key = PrivateKey.generate()
    envelope = dsse.seal("application/other", b"{}", key)
    with pytest.raises(Refused) as caught:
        dsse.unseal(envelope, KIND, {key.key_id: key.public}, "it")
    assert caught.value.kinds == {Refusal.WRONG_TYPE}


def test_an_unknown_key_and_a_bad_signature_are_told_apart():
    key, other = PrivateKey.generate(), PrivateKey.generate()
    envelope = dsse.seal(KIND, b"{}", key)
    with pytest.raises(Refused) as caught:
        dsse.unseal(envelope, KIND, {other.key_id: other.public}, "it")
    assert caught.value.kinds == {Refusal.UNKNOWN_KEY}
    forged = json.loads(envelope)
    forged["payload"] = base64.b64encode(b'{"a": 1}').decode()
    with pytest.raises(Refused) as caught:
        data = json.dumps(forged).encode() + b"\n"
        dsse.unseal(data, KIND, {key.key_id: key.public}, "it")
    assert caught.value.kinds == {Refusal.BAD_SIGNATURE}


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(
        st.sampled_from(["payload", "payloadType", "signatures", "keyid", "sig"]), x, max_size=4),
    max_leaves=8).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_whatever_is_no_envelope_is_refused(data):
    with pytest.raises(Refused) as caught:
        dsse.unseal(data, KIND, {}, "it")
    assert caught.value.exit_code == 1


class RemoteSigner:
    """A key somewhere else: only what the Signer protocol asks for."""

    def __init__(self):
        self._key = PrivateKey.generate()
        self.key_id, self.public, self.asked = self._key.key_id, self._key.public, 0

    def sign(self, message):
        self.asked += 1
        return self._key.sign(message)


def test_an_external_signer_can_take_the_place_of_a_key():
    signer = RemoteSigner()
    envelope = dsse.seal(KIND, b"{}", signer)
    assert dsse.unseal(envelope, KIND, {signer.key_id: signer.public}, "it").payload == b"{}"
    assert signer.asked == 1
