#!/usr/bin/env python3
"""Checks vectors/entry.json with the standard library alone.

A second implementation of the formats in crates/ledger/src/{leaf,header,portion}.rs and of the
label's canonical bytes in crates/base/src/label.rs, written from their descriptions. It opens no
ciphertext: AES-256-GCM is not in the standard library. Prints `<entries> entries, <values> values`
and exits with 0 when every value agrees, else names each that differs and exits with 1.
"""

import hashlib
import hmac
import json
import pathlib
import struct
import sys
import uuid
from datetime import datetime, timedelta, timezone

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "entry.json"


def h(domain, *parts):
    """SHA-256 over the domain and each part behind their lengths."""
    data = bytes([len(domain)]) + domain.encode("ascii")
    for part in parts:
        data += struct.pack(">Q", len(part)) + part
    return hashlib.sha256(data).digest()


def hkdf(secret, salt, info):
    """HKDF-SHA-256 (RFC 5869), one block of 32 bytes."""
    extracted = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(extracted, info.encode("ascii") + b"\x01", hashlib.sha256).digest()


def cbor(value):
    """Deterministic CBOR (RFC 8949 section 4.2.1) of the few types that the formats use."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode("utf-8")
        return head(3, len(text)) + text
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(cbor(member) for member in value)
    if isinstance(value, dict):
        present = {key: member for key, member in value.items() if member is not ABSENT}
        pairs = sorted((cbor(key), cbor(member)) for key, member in present.items())
        return head(5, len(present)) + b"".join(key + member for key, member in pairs)
    raise TypeError(type(value))


ABSENT = object()


def head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for extra, (size, form) in enumerate([(1, ">B"), (2, ">H"), (4, ">I"), (8, ">Q")]):
        if number < 1 << 8 * size:
            return bytes([major << 5 | 24 + extra]) + struct.pack(form, number)
    raise ValueError(number)


def identity(text):
    return ABSENT if text is None else uuid.UUID(text).bytes


def milliseconds(text):
    if text is None:
        return ABSENT
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (at - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)


def label_bytes(label):
    play = label["play"]
    markings = []
    for scheme in sorted(label["markings"]):
        marking = label["markings"][scheme]
        released = marking["releasable_to"]
        released = None if released == "unrestricted" else sorted(released["only"])
        compartments, caveats = sorted(marking["compartments"]), sorted(marking["caveats"])
        markings.append([scheme, marking["level"], compartments, released, caveats])
    originators = sorted(identity(agency) for agency in label["originators"])
    return cbor([1, None if play == "live" else identity(play["exercise"]), originators, markings])


def shared_section(s):
    if s["actor"] == "system":
        actor = [0]
    elif "person" in s["actor"]:
        actor = [1, identity(s["actor"]["person"])]
    else:
        actor = [2, identity(s["actor"]["service"])]
    imported = ABSENT
    if s["imported"] is not None:
        origin = s["imported"]
        imported = [identity(origin["ledger"]), identity(origin["entry"])]
        imported.append(bytes.fromhex(origin["leaf"]))
    return cbor({
        0: 1, 1: 1, 2: identity(s["ledger"]), 3: identity(s["entry"]), 4: s["kind"],
        5: identity(s["record"]), 6: actor, 7: identity(s["agency"]),
        8: identity(s["on_behalf_of"]), 9: identity(s["exercise"]),
        10: milliseconds(s["acted_at"]), 11: milliseconds(s["valid_at"]), 12: imported,
    })


PURPOSES = ["administration", "protection", "emergency", "intelligence", "inspection", "training"]


def local_section(s, portions):
    labels, slots = [], []
    for portion in portions:
        label = label_bytes(portion["label"])
        if label not in labels:
            labels.append(label)
        circle = identity(portion["circle"])
        circle = None if circle is ABSENT else circle
        slots.append([portion["slot"], labels.index(label), circle])
    authentication = ABSENT
    if s["authentication"] is not None:
        a = s["authentication"]
        authentication = [identity(a["session"]), a["method"], milliseconds(a["verified_at"])]
    clauses = [[identity(clause["clause"]), clause["version"]] for clause in s["clauses"]]
    return cbor({
        0: 1, 1: identity(s["seat"]), 2: identity(s["device"]), 3: identity(s["cause"]),
        4: PURPOSES.index(s["purpose"]), 5: identity(s["authority"]), 6: identity(s["basis"]),
        7: s["version"], 8: bytes.fromhex(s["idempotency"]), 9: bytes.fromhex(s["command"]),
        10: s["policy_epoch"], 11: bytes.fromhex(s["policy"]), 12: bytes.fromhex(s["profile"]),
        13: clauses, 14: authentication, 15: bytes.fromhex(s["base"]), 16: identity(s["circle"]),
        17: labels, 18: slots,
    })


def portion_bytes(portion):
    circle = identity(portion["circle"])
    media, body = portion["media"].encode("ascii"), bytes.fromhex(portion["body"])
    return b"".join([
        b"\x01", h("muster/label/v1", label_bytes(portion["label"])),
        b"\x00" + bytes(16) if circle is ABSENT else b"\x01" + circle,
        bytes([len(media)]), media, struct.pack(">I", len(body)), body,
    ])


def entry_values(inputs):
    """Every value of an entry that needs no cipher, computed from its inputs."""
    secret = bytes.fromhex(inputs["header_secret"])
    ledger, entry = identity(inputs["shared"]["ledger"]), identity(inputs["shared"]["entry"])
    values = {
        "shared": shared_section(inputs["shared"]),
        "shared_salt": hkdf(secret, b"", "muster/header-shared-salt/v1"),
        "local": local_section(inputs["local"], inputs["portions"]),
        "local_salt": hkdf(secret, b"", "muster/header-local-salt/v1"),
        "signature_salt": hkdf(secret, b"", "muster/signature-salt/v1"),
    }
    shared = h("muster/header-shared/v1", values["shared_salt"], values["shared"])
    local = h("muster/header-local/v1", values["local_salt"], values["local"])
    header = h("muster/header/v1", shared, local)
    signature = [] if inputs["signature"] is None else [bytes.fromhex(inputs["signature"])]
    signature = h("muster/signature/v1", values["signature_salt"], *signature)

    by_slot, portions = {}, []
    for portion in inputs["portions"]:
        label, data = label_bytes(portion["label"]), portion_bytes(portion)
        salt = hkdf(bytes.fromhex(portion["secret"]), b"", "muster/commit/v1")
        slot = bytes([portion["slot"]])
        commitment = h("muster/portion/v1", salt, ledger, entry, slot, data)
        by_slot[portion["slot"]] = commitment
        portions.append({
            "label": label, "label_digest": h("muster/label/v1", label), "bytes": data,
            "salt": salt, "commitment": commitment,
        })
    padding = iter(inputs["padding"])
    count = len(inputs["padding"]) + len(inputs["portions"])
    commitments = [by_slot.get(n) or bytes.fromhex(next(padding)) for n in range(count)]
    payload = h("muster/payload/v1", struct.pack(">H", count), *commitments)

    leaf = bytes([1, 1, inputs["class"], 0]) + entry
    leaf += struct.pack(">Q", milliseconds(inputs["at"])) + header + payload + signature
    values.update({
        "shared_commitment": shared, "local_commitment": local, "header_commitment": header,
        "signature_digest": signature, "portions": portions, "commitments": commitments,
        "payload_commitment": payload, "leaf": leaf,
        "leaf_hash": hashlib.sha256(b"\x00" + leaf).digest(),
    })
    return values


def compare(name, computed, claimed):
    """Yields each leaf value with whether it agrees."""
    if isinstance(computed, bytes):
        yield name, computed.hex() == claimed
    elif isinstance(computed, list):
        yield f"{name}: count", len(computed) == len(claimed)
        for n, (ours, theirs) in enumerate(zip(computed, claimed)):
            yield from compare(f"{name}[{n}]", ours, theirs)
    else:
        for key, value in computed.items():
            yield from compare(f"{name}.{key}", value, claimed[key])


def main(path):
    entries = json.loads(path.read_text(encoding="utf-8"))["entries"]
    values = wrong = 0
    for entry in entries:
        computed = entry_values(entry["inputs"])
        for name, agrees in compare(entry["name"], computed, entry["expected"]):
            values += 1
            if not agrees:
                wrong += 1
                print(f"{name} differs", file=sys.stderr)
    print(f"{len(entries)} entries, {values} values")
    return 1 if wrong or not entries else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else VECTORS))
