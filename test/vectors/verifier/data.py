"""The vectors of the data side: packs, trees, epochs, chains, documents, evidence, and what is refused."""
import json

from . import chain as chains
from .cbor import decode
from .chain import Chain, open_with, read_keys, read_run, read_statement
from .documents import check_evidence, check_gateway, jcs, read_document, read_enrolment
from .epoch import (climb, cover_of, descend, epoch_keys, head_digest, hexed, leaf_hash,
                    open_epoch, raw_of, read_message, root_of, salts)
from .primitives import Refused, expand, must, sha256
from .reading import read_pack
from .vectors import load, same


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
        at = [(node["depth"], node["prefix"]) for node in cover["nodes"]]
        same(at, cover_of(cover["from"], cover["to"]), "cover")
        for node in cover["nodes"]:
            first = node["prefix"] << (32 - node["depth"])
            below = descend((node["depth"], node["prefix"], raw_of(node["key"])), first)
            same(below, descend((0, 0, root), first), "cover")


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
        said = read_statement(header, body)
        said.update({name: hexed(said[name]) for name in ("last",) if name in said})
        said.update({name: said[name].hex() for name in ("boot",) if name in said})
        same({"kind": header["kind"], **said}, one["says"], "statement")


def followed_chains():
    vector = load("wire/chain")
    for one in vector["chains"]:
        follower = Chain(vector["device"], one["stream"], vector["signingKey"])
        for name in one["heard"]:
            follower.hear(raw_of(vector["messages"][name]))
        same(follower.judge(), {name: one[name] for name in ("epochs", "findings", "evicted", "gaps")},
             one["what"])


def history():
    """An index is read, a range fetched, and every epoch of it opened with the keys that were sent."""
    vector = load("wire/history")
    index, signer = read_document("index", vector["index"])
    same((signer, index["device"]), (vector["signingKey"], vector["device"]), "index")
    keys = read_keys(raw_of(vector["keys"]))
    for one in vector["fetches"]:
        asked = decode(raw_of(one["request"]))
        follower = Chain(vector["device"], asked["stream"], vector["signingKey"])
        messages, cursor = read_run(map(raw_of, one["parts"]), one["to"])
        for message in sorted(messages, key=lambda message: read_message(message)[0]["number"]):
            follower.hear(message)
        judged = follower.judge()
        same(cursor, one.get("cursor"), one["what"])
        same((judged["findings"], judged["gaps"]), ([], []), one["what"])
        opened = {str(number): len(open_with(keys, follower.heard[number][3]))
                  for number in judged["epochs"]}
        same(opened, one["readings"], one["what"])
        evicted = [number for number in range(asked["from"], asked["to"] + 1)
                   if number not in follower.heard and follower.stone(number)]
        same(chains.runs(evicted), one["evicted"], one["what"])
    [shelf] = index["streams"]
    newest = max(follower.heard)
    same((shelf["last"]["number"], shelf["lastHash"]), (newest, hexed(follower.heard[newest][1])),
         "index")


def documents():
    vector = load("wire/documents")
    for kind in ("offer", "setup", "index"):
        same(read_document(kind, vector[kind])[1], vector["signer"], kind)
        same(read_document(kind, vector["later"][kind])[1], vector["signer"], "a later " + kind)
    check_gateway(*read_document("offer", vector["gateway"]))
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
        except Refused:
            continue
        must(signer != proof["signer"], "evidence: bent, and believed")


def refused():
    """Each has one thing wrong, and has to be refused for it."""
    vector = load("wire/refused")
    about = vector["about"]
    read = {
        "pack": lambda raw: read_pack(raw, about),
        "epoch message": read_message,
        "statement": lambda raw: read_statement(*read_message(raw)[::3]),
        "enrolment": read_enrolment,
        "evidence": check_evidence,
        "body": lambda raw: open_epoch(raw, raw_of(about["leafKey"])),
        "keys": read_keys,
    }
    for one in vector["cases"]:
        try:
            if "text" in one:
                read_document(one["of"], one["text"])
            else:
                read[one["of"]](raw_of(one["bytes"]))
        except Refused:
            continue
        raise Refused(f"{one['of']} that {one['that']}: taken")


checks = [readings, key_tree, proof_trees, epochs, statements, followed_chains, history, documents,
          evidence, refused]
