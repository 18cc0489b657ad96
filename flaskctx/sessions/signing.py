"""A serializer that is kept from request to request: it derives its keys once.

The text is that of `itsdangerous.URLSafeTimedSerializer`, and each reads the other's.
"""

from __future__ import annotations

import hmac
import zlib
from typing import TYPE_CHECKING, Any, cast

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer, base64_decode, base64_encode

if TYPE_CHECKING:
    from itsdangerous import Signer

# Bytes of JSON. To compress less takes as long as all the rest of the encoding, and gains little.
_WORTH_COMPRESSING = 128

# zlib's default sets up 256 KiB for each text, up to ten times the work of compressing one. A window of
# 4 KiB spans all that a cookie can hold, and the result is as short.
_WINDOW = 12
_MEMORY = 5


class KeptSigner(TimestampSigner):
    """A signer that keeps what it derived from its secret keys. The signature is an HMAC."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._derived: dict[str | bytes | None, bytes] = {}
        self._keyed = hmac.new(self.derive_key(), digestmod=self.digest_method)

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """Return the key that signs: derived from *secret_key*, by default from the newest one."""
        derived = self._derived.get(secret_key)
        if derived is None:
            derived = self._derived[secret_key] = super().derive_key(secret_key)
        return derived

    def get_signature(self, value: str | bytes) -> bytes:
        """Return the signature of *value* with the newest key, in base64."""
        keyed = self._keyed.copy()
        keyed.update(value.encode() if isinstance(value, str) else value)
        return base64_encode(keyed.digest())


class KeptSerializer(URLSafeTimedSerializer):
    """Encodes and signs, verifies and decodes. Takes the arguments of its base class."""

    default_signer = KeptSigner

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._signer = cast(KeptSigner, super().make_signer())

    def make_signer(self, salt: str | bytes | None = None) -> Signer:
        """Return the kept signer; a new one for another salt than the serializer's."""
        return self._signer if salt is None or salt == self.salt else super().make_signer(salt)

    def dump_payload(self, obj: Any) -> bytes:
        """Return *obj* encoded, and compressed where that makes it shorter."""
        text = self.serializer.dumps(obj)
        data = text.encode() if isinstance(text, str) else text
        if len(data) >= _WORTH_COMPRESSING:
            deflate = zlib.compressobj(wbits=_WINDOW, memLevel=_MEMORY)
            compressed = deflate.compress(data) + deflate.flush()
            if len(compressed) < len(data) - 1:
                return b"." + base64_encode(compressed)
        return base64_encode(data)

    def loads(  # type: ignore[override]
        self,
        s: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,
        salt: str | bytes | None = None,
    ) -> Any:
        """Return the data of a signed text.

        :param max_age: how old, in seconds, it may be.
        :raises BadSignature: it was not signed with one of the keys, or too long ago.
        """
        if salt is None and not return_timestamp:
            payload = self._verified(s.encode() if isinstance(s, str) else s, max_age)
            if payload is not None:
                return self.load_payload(payload)
        return super().loads(s, max_age=max_age, return_timestamp=return_timestamp, salt=salt)

    def _verified(self, signed: bytes, max_age: int | None) -> bytes | None:
        """Return the payload if the newest key signed it and it is fresh.

        None says only that the base class has to judge: it knows the older keys and the errors.
        """
        value, _, signature = signed.rpartition(b".")
        if not hmac.compare_digest(self._signer.get_signature(value), signature):
            return None
        payload, _, stamp = value.rpartition(b".")
        try:
            age = self._signer.get_timestamp() - int.from_bytes(base64_decode(stamp), "big")
        except BadData:
            return None
        return payload if max_age is None or 0 <= age <= max_age else None
