#!/usr/bin/env python3
"""An independent check of the golden vectors: docs/wire.md once more, in another language.

    python3 test/vectors/verify.py              every vector; one line each, exit 1 at a difference
    python3 test/vectors/verify.py EVIDENCE     one evidence file (CBOR): who signed what

Nothing but Python's standard library; shares no code with the product.
"""
import json
import struct
import sys
from pathlib import Path

from verifier import money
from verifier.cbor import decode
from verifier.epoch import (check_evidence, climb, descend, document_signer, epoch_keys,
                            head_digest, hexed, jcs, leaf_hash, open_epoch, raw_of, read_message,
                            read_pack, root_of, salts)
from verifier.primitives import Refused, expand, must, sha256
from verifier.vectors import load, same


def plain(value):
    """A reading as the vectors spell it: bytes in hex, integers past 2^53 as text."""
    if isinstance(value, bytes):
        return hexed(value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return str(value) if isinstance(value, int) and abs(value) > 2 ** 53 - 1 else value


def readings():
    for one in load("wire/reading"):
        reading = one["reading"]
        about = {"device": one["device"], "stream": reading["stream"], "boot": reading["boot"]}
        same(plain(read_pack(raw_of(one["pack"]), about)), reading, "reading")


def key_tree():
    tree, leaf = load("wire/keytree"), load("wire/keytree")["leaf"]
    root = expand(raw_of(tree["secret"]), b"wayside/1 root" + tree["stream"].encode())
    same(hexed(root), tree["root"], "root")
    key = descend((0, 0, root), leaf["number"])
    same([hexed(part) for part in (key, *epoch_keys(key))],
         [leaf[name] for name in ("key", "content", "saltKey", "commitment")], "leaf")
    same(list(map(hexed, salts(raw_of(leaf["saltKey"]), 3))), leaf["salts"], "salts")
    for cover in tree["covers"]:
        for node in cover["nodes"]:
            span = 1 << (32 - node["depth"])
            for number in (node["prefix"] * span, node["prefix"] * span + span - 1):
                must(cover["from"] <= number <= cover["to"], "cover: reaches beyond its range")
                below = descend((node["depth"], node["prefix"], raw_of(node["key"])), number)
                same(below, descend((0, 0, root), number), "cover")
        covered = sum(1 << (32 - node["depth"]) for node in cover["nodes"])
        same(covered, cover["to"] - cover["from"] + 1, "cover")


def proof_trees():
    for tree in load("wire/merkle"):
        hashes = [leaf_hash(raw_of(leaf["salt"]), raw_of(leaf["pack"])) for leaf in tree["leaves"]]
        same(hexed(root_of(hashes)), tree["root"], "root")
        for index, leaf in enumerate(tree["leaves"]):
            path = list(map(raw_of, leaf["path"]))
            same(hexed(climb(hashes[index], index, len(hashes), path)), tree["root"], "path")


def epochs():
    last = None
    for one in load("wire/epoch"):
        header, signer, raw, _ = read_message(raw_of(one["message"]))
        same(header, one["header"], "header")
        same(signer, one["signer"], "signer")
        same(hexed(sha256(raw)), one["headerHash"], "hash")
        same(hexed(head_digest(raw)), one["treeHeadDigest"], "tree head")
        must(last in (None, header["previous"]), "epoch: the chain is broken")
        last = one["headerHash"]
        opened = open_epoch(raw_of(one["message"]), raw_of(one["leafKey"]))
        same(len(opened), header["count"], "count")


def statements():
    for one in load("wire/statement"):
        header, signer, _, body = read_message(raw_of(one["message"]))
        same((header, signer), (one["header"], one["signer"]), "statement")
        said = decode(body)
        said.update({name: hexed(said[name]) for name in ("last",) if name in said})
        said.update({name: said[name].hex() for name in ("boot",) if name in said})
        same({"kind": header["kind"], **said}, one["says"], "statement")


def documents():
    vector = load("wire/documents")
    for kind in ("offer", "setup"):
        same(document_signer(kind, vector[kind]), vector["signer"], kind)
    same(hexed(sha256(jcs(json.loads(vector["setup"])))), vector["setupHash"], "setup")
    same(hexed(sha256(jcs(vector["terms"]["entry"]))), vector["terms"]["hash"], "terms")
    [terms] = json.loads(vector["offer"])["offer"]["streams"]
    same(terms, vector["terms"]["entry"], "terms")


def evidence():
    vector = load("wire/evidence")
    proof = check_evidence(raw_of(vector["evidence"]))
    same(plain(proof), vector["expect"], "evidence")
    for at in range(0, len(raw_of(vector["evidence"])), 97):
        bent = bytearray(raw_of(vector["evidence"]))
        bent[at] ^= 1
        try:
            signer = check_evidence(bytes(bent))["signer"]
            must(signer != proof["signer"], "evidence: bent, and believed")
        except (Refused, KeyError, TypeError, ValueError, AttributeError, struct.error) as error:
            must("believed" not in str(error), str(error))


def main():
    if len(sys.argv) > 1:
        print(json.dumps(plain(check_evidence(Path(sys.argv[1]).read_bytes())), indent=2))
        return 0
    checks = [readings, key_tree, proof_trees, epochs, statements, documents, evidence,
              *money.checks]
    failed = 0
    for check in checks:
        try:
            check()
            print("holds   ", check.__name__.replace("_", " "))
        except Refused as error:
            failed += 1
            print("differs ", check.__name__.replace("_", " "), "--", error)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refusal:
        sys.exit(f"refused: {refusal}")
