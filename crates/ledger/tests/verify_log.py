#!/usr/bin/env python3
"""Checks the vectors of the tree and the signed formats, or a log of static files.

A second implementation with the standard library alone, written from RFC 9162, RFC 8032 and the
C2SP specifications tlog-tiles, signed-note, tlog-checkpoint, tlog-cosignature, tlog-witness,
tlog-policy and tlog-proof. ML-DSA-87 is not in the standard library: of its lines only the key id
is checked.

    verify_log.py VECTORS      a directory with tree.json and note.json
    verify_log.py --log LOG    a directory with checkpoint, vkey, tile/... and tile/entries/...

Prints one line that begins with `ok: ` and exits with 0, or says what differs and exits with 1.
"""

import base64
import functools
import hashlib
import json
import pathlib
import struct
import sys


class Fault(Exception):
    """Something differs from what was claimed."""


def check(true, what):
    if not true:
        raise Fault(what)


# The tree, as RFC 9162 section 2.1 defines it, and not as it is fast.


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(leaf):
    return sha256(b"\x00" + leaf)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def split(count):
    """The largest power of two below a count above 1."""
    return 1 << ((count - 1).bit_length() - 1)


class Tree:
    def __init__(self, leaves):
        self.hashes = [leaf_hash(leaf) for leaf in leaves]
        self.root = functools.lru_cache(maxsize=None)(self._root)

    def _root(self, start, end):
        if start == end:
            return sha256(b"")
        if end - start == 1:
            return self.hashes[start]
        middle = start + split(end - start)
        return node_hash(self.root(start, middle), self.root(middle, end))

    def path(self, index, start, end):
        """The inclusion proof (section 2.1.3.1)."""
        if end - start == 1:
            return []
        middle = start + split(end - start)
        if index < middle:
            return self.path(index, start, middle) + [self.root(middle, end)]
        return self.path(index, middle, end) + [self.root(start, middle)]

    def proof(self, old, start, end, known=True):
        """The consistency proof (section 2.1.4.1)."""
        if old == end:
            return [] if known else [self.root(start, end)]
        middle = start + split(end - start)
        if old <= middle:
            return self.proof(old, start, middle, known) + [self.root(middle, end)]
        return self.proof(old, middle, end, False) + [self.root(start, middle)]

    def tile(self, level, index, width):
        span = 256**level
        first = index * 256
        hashes = (self.root(n * span, (n + 1) * span) for n in range(first, first + width))
        return b"".join(hashes)


def root_of_path(leaf, index, size, path):
    """The root that an inclusion proof leads to, by recursion from above."""
    if size == 1:
        check(not path, "proof is too long")
        return leaf
    check(path, "proof is too short")
    middle, sibling = split(size), path[-1]
    if index < middle:
        return node_hash(root_of_path(leaf, index, middle, path[:-1]), sibling)
    return node_hash(sibling, root_of_path(leaf, index - middle, size - middle, path[:-1]))


def roots_of_proof(old_root, old, new, path, known=True):
    """The roots of the old and the new tree that a consistency proof leads to."""
    if old == new:
        check(len(path) == (0 if known else 1), "proof has a wrong length")
        root = old_root if known else path[0]
        return root, root
    check(path, "proof is too short")
    middle, sibling = split(new), path[-1]
    if old <= middle:
        first, second = roots_of_proof(old_root, old, middle, path[:-1], known)
        return first, node_hash(second, sibling)
    first, second = roots_of_proof(old_root, old - middle, new - middle, path[:-1], False)
    return node_hash(sibling, first), node_hash(sibling, second)


def tile_path(level, index, width):
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return f"tile/{level}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def tiles(size):
    """The coordinates of all tiles of a tree."""
    level = 0
    while size >> (8 * level):
        hashes = size >> (8 * level)
        for index in range((hashes + 255) // 256):
            yield level, index, min(256, hashes - 256 * index)
        level += 1


# Ed25519 (RFC 8032 section 5.1), for signatures that are public anyway: it is not constant-time.

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    product = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            product = add(product, point)
        point, scalar = add(point, point), scalar >> 1
    return product


def recover_x(y, odd):
    check(y < P, "point is not canonical")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    check((x * x - square) % P == 0, "point is not on the curve")
    return P - x if x % 2 != odd else x


def point(data):
    number = int.from_bytes(data, "little")
    y = number % 2**255
    x = recover_x(y, number >> 255)
    return x, y, 1, x * y % P


def point_bytes(a):
    inverse = pow(a[2], P - 2, P)
    x, y = a[0] * inverse % P, a[1] * inverse % P
    return (y | (x % 2) << 255).to_bytes(32, "little")


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    x = recover_x(y, 0)
    return x, y, 1, x * y % P


BASE = base_point()


def public_key(seed):
    digest = bytearray(hashlib.sha512(seed).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 63 | 64
    return point_bytes(multiply(int.from_bytes(digest, "little"), BASE))


def ed25519(public, message, signature):
    check(len(signature) == 64, "signature has a wrong length")
    scalar = int.from_bytes(signature[32:], "little")
    check(scalar < Q, "signature is not canonical")
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % Q
    right = add(point(signature[:32]), multiply(challenge, point(public)))
    check(point_bytes(multiply(scalar, BASE)) == point_bytes(right), "signature does not fit")


# Notes, checkpoints, cosignatures.


def decode(text):
    data = base64.b64decode(text, validate=True)
    check(base64.b64encode(data).decode() == text, "base64 is not canonical")
    return data


def decimal(text):
    check(text == str(int(text)) and int(text) >= 0, "number is not canonical")
    return int(text)


def key_id(name, material):
    return sha256(name.encode() + b"\n" + material)[:4]


class Key:
    """A verifier key: `name+id+base64(type, public key)`."""

    def __init__(self, text):
        self.name, number, material = text.split("+", 2)
        self.material = decode(material)
        self.id = key_id(self.name, self.material)
        check(self.id.hex() == number, f"id of the key of {self.name}")

    def verify(self, text, signature):
        """Verifies a signature over a note's text; of a cosignature, returns its time."""
        kind, public = self.material[0], self.material[1:]
        if kind == 1:
            ed25519(public, text, signature)
            return None
        check(kind == 4, "type of the key")
        (timestamp,) = struct.unpack(">Q", signature[:8])
        ed25519(public, b"cosignature/v1\ntime %d\n" % timestamp + text, signature[8:])
        return timestamp


class Note:
    def __init__(self, note):
        self.text, lines = note.rsplit("\n\n", 1)
        self.text += "\n"
        check(lines.endswith("\n"), "last line of the note")
        self.lines = []
        for line in lines[:-1].split("\n"):
            dash, name, signature = line.split(" ")
            check(dash == "\u2014", "signature line")
            self.lines.append((name, decode(signature)))

    def signed_by(self, key):
        """The times at which a key signed, None for each plain signature; all are verified."""
        mine = [raw[4:] for name, raw in self.lines if (name, raw[:4]) == (key.name, key.id)]
        return [key.verify(self.text.encode(), signature) for signature in mine]

    def checkpoint(self):
        origin, size, root = self.text.split("\n")[:3]
        return origin, decimal(size), decode(root)


def opened(note, log):
    """The checkpoint in a note that a log signed: size and root."""
    check(note.signed_by(log), "log did not sign")
    origin, size, root = note.checkpoint()
    check(origin == log.name, "origin")
    return size, root


class Policy:
    """A policy of the form that Trust::k_of_n writes, and any other of tlog-policy."""

    def __init__(self, file):
        self.logs, self.members, self.quorum = [], {}, None
        for line in file.splitlines():
            match line.split():
                case [] | ["#", *_]:
                    pass
                case ["log", key, *_]:
                    self.logs.append(Key(key))
                case ["witness", name, key, *_]:
                    self.members[name] = Key(key)
                case ["group", name, least, *names]:
                    least = {"all": len(names), "any": 1}.get(least) or int(least)
                    self.members[name] = (least, names)
                case ["quorum", name]:
                    self.quorum = name
                case _:
                    raise Fault(f"line of the policy: {line}")

    def met(self, name, note):
        if name == "none":
            return True
        member = self.members[name]
        if isinstance(member, Key):
            return bool(note.signed_by(member))
        least, names = member
        return sum(self.met(name, note) for name in names) >= least

    def accept(self, note):
        origin = note.checkpoint()[0]
        (log,) = [log for log in self.logs if log.name == origin]
        head = opened(note, log)
        check(self.met(self.quorum, note), "quorum")
        return head


# The vectors.


def check_tree(vectors):
    tree = Tree(str(index).encode() for index in range(65537))
    values = 0
    for vector in vectors["roots"]:
        check(tree.root(0, vector["size"]).hex() == vector["root"], f"root: {vector}")
    for vector in vectors["frontiers"]:
        size, start, data = vector["size"], 0, struct.pack(">Q", vector["size"])
        for bit in reversed(range(64)):
            if size >> bit & 1:
                data += tree.root(start, start + (1 << bit))
                start += 1 << bit
        check(data.hex() == vector["bytes"], f"frontier of {size}")
    for vector in vectors["inclusion"]:
        index, size = vector["index"], vector["size"]
        path = [bytes.fromhex(hash) for hash in vector["path"]]
        check(path == tree.path(index, 0, size), f"inclusion of {index} in {size}")
        check(root_of_path(tree.hashes[index], index, size, path) == tree.root(0, size), "root")
    for vector in vectors["consistency"]:
        old, new = vector["old"], vector["new"]
        path = [bytes.fromhex(hash) for hash in vector["path"]]
        expected = tree.proof(old, 0, new) if old else []
        check(path == expected, f"consistency of {old} with {new}")
        if old:
            roots = tree.root(0, old), tree.root(0, new)
            check(roots_of_proof(roots[0], old, new, path) == roots, "roots")
    for vector in vectors["tiles"]:
        new = set(tiles(vector["new"])) - set(tiles(vector["old"]))
        expected = [
            {"path": tile_path(*tile), "sha256": sha256(tree.tile(*tile)).hex()}
            for tile in sorted(new)
        ]
        check(vector["tiles"] == expected, f"tiles from {vector['old']} to {vector['new']}")
    return tree, sum(len(vectors[name]) for name in vectors if name != "about")


def check_keys(keys):
    """Derives each key from its seed, but those of ML-DSA-87, and returns all."""
    for vector in keys:
        key, seed = Key(vector["verifier_key"]), bytes.fromhex(vector["seed"])
        check((key.name, key.id.hex()) == (vector["name"], vector["id"]), "name and id")
        if vector["algorithm"] == "ML-DSA-87":
            identifier = b"\xffmuster/ml-dsa-87/v1"
            check(key.material.startswith(identifier), "type of ML-DSA-87")
            check(len(key.material) == len(identifier) + 2592, "length of ML-DSA-87")
        else:
            kind = {"Ed25519": b"\x01", "cosignature/v1": b"\x04"}[vector["algorithm"]]
            check(key.material == kind + public_key(seed), f"key of {key.name}")
        yield key


def check_notes(vectors, tree):
    log, quantum, *witnesses = check_keys(vectors["keys"])
    for vector in vectors["checkpoints"]:
        note = Note(vector["note"])
        size, root = opened(note, log)
        check((size, root) == (vector["size"], tree.root(0, size)), f"checkpoint of {size}")
        quantum_lines = [raw for _name, raw in note.lines if raw[:4] == quantum.id]
        check([len(raw) for raw in quantum_lines] == [4 + 4627], "line of ML-DSA-87")
    for vector in vectors["requests"]:
        before, note = vector["body"].split("\n\n", 1)
        old, *path = before.split("\n")
        old, path = decimal(old.removeprefix("old ")), [decode(hash) for hash in path]
        size, root = opened(Note(note), log)
        roots = tree.root(0, old), root
        if old:
            check(roots_of_proof(roots[0], old, size, path) == roots, f"request from {old}")
        else:
            check(not path, "request from 0")
        answered = Note(note + vector["answer"])
        for witness in witnesses:
            check(answered.signed_by(witness) == [vectors["timestamp_s"]], "cosignature")
    policy = Policy(vectors["policy"])
    for vector in vectors["receipts"]:
        before, note = vector["file"].split("\n\n", 1)
        first, *rest = before.split("\n")
        check(first == "c2sp.org/tlog-proof@v1", "first line")
        if rest[0].startswith("extra "):
            decode(rest.pop(0).removeprefix("extra "))
        index = decimal(rest.pop(0).removeprefix("index "))
        size, root = policy.accept(Note(note))
        check(index < size, "index")
        leaf = leaf_hash(vector["leaf"].encode())
        path = [decode(hash) for hash in rest]
        check(root_of_path(leaf, index, size, path) == root, f"receipt of {index}")
    return sum(len(vectors[name]) for name in ("keys", "checkpoints", "requests", "receipts"))


def check_vectors(directory):
    tree, of_tree = check_tree(json.loads((directory / "tree.json").read_text()))
    of_notes = check_notes(json.loads((directory / "note.json").read_text()), tree)
    return f"{of_tree} tree vectors, {of_notes} note vectors"


# A log of static files.


def entries(bundle, width):
    while bundle:
        (length,) = struct.unpack(">H", bundle[:2])
        check(len(bundle) >= 2 + length, "bundle ends within an entry")
        yield bundle[2 : 2 + length]
        bundle, width = bundle[2 + length :], width - 1
    check(width == 0, "bundle has another number of entries")


def check_log(directory):
    log = Key((directory / "vkey").read_text().strip())
    size, root = opened(Note((directory / "checkpoint").read_text()), log)
    leaves = []
    for level, index, width in tiles(size):
        if level == 0:
            path = tile_path("entries", index, width)
            leaves += entries((directory / path).read_bytes(), width)
    tree = Tree(leaves)
    for tile in tiles(size):
        path = tile_path(*tile)
        check((directory / path).read_bytes() == tree.tile(*tile), f"`{path}`")
    check(tree.root(0, size) == root, "root")
    return f"{size} entries"


def main(arguments):
    try:
        if arguments[:1] == ["--log"]:
            found = check_log(pathlib.Path(arguments[1]))
        else:
            found = check_vectors(pathlib.Path(arguments[0]))
    except (Fault, ValueError, KeyError, struct.error, RecursionError, OSError) as fault:
        print(f"{type(fault).__name__}: {fault}")
        return 1
    print(f"ok: {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
