"""Packs, trees, keys, headers, epochs, documents, evidence: docs/wire.md as Python."""
import json
import re
import struct

from .cbor import decode, decode_first, encode
from .primitives import expand, gcm_open, hmac256, keystream, must, recover, sha256

KINDS = {1: "readings", 2: "interrupted", 3: "tombstone", 4: "clock map", 5: "generation"}
CLOCKS = {0: "unset", 1: "rtc", 2: "synced"}


def hexed(raw):
    return "0x" + raw.hex()


def raw_of(text):
    return bytes.fromhex(text[2:])


# Packs

def read_pack(pack, header):
    records = decode(pack)
    must(isinstance(records, list) and records, "pack: no records")
    first = records[0]
    device, stream, *subject = first[-2][:-1].split("/")
    must(first[-2].endswith("/") and len(subject) <= 1, "pack: base name")
    must((device, stream) == (header["device"], header["stream"]), "pack: of another epoch")
    reading = {"stream": stream, "boot": header["boot"]}
    if "boot_" in first:
        boot, reading["monotonicMs"] = first["boot_"]
        must(-3 not in first and boot.hex() == header["boot"], "pack: of another boot")
    else:
        must(first[-3] >= 2 ** 28, "pack: a relative time")
        reading.update(monotonicMs=first["mono"], wallMs=round(first[-3] * 1000))
    if subject:
        reading["subject"] = subject[0]
    reading["values"] = {}
    for record in records:
        held = [label for label in (2, 3, 4, 8) if label in record]
        must(len(held) == 1 and record[0] not in reading["values"], "pack: a field has one value")
        reading["values"][record[0]] = record[held[0]]
    reading["units"] = {record[0]: record[1] for record in records if 1 in record}
    return reading


# Proof tree

def leaf_hash(salt, pack):
    return sha256(b"\0", salt, pack)


def root_of(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1", root_of(leaves[:split]), root_of(leaves[split:]))


def climb(leaf, index, count, path):
    must(0 <= index < count, "path: no such leaf")
    fn, sn = index, count - 1
    for sibling in path:
        must(sn > 0, "path: too long")
        if fn % 2 or fn == sn:
            leaf = sha256(b"\1", sibling, leaf)
            while fn % 2 == 0 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            leaf = sha256(b"\1", leaf, sibling)
        fn, sn = fn >> 1, sn >> 1
    must(sn == 0, "path: too short")
    return leaf


# Key tree

def descend(node, number):
    depth, prefix, key = node
    must(number >> (32 - depth) == prefix, "key: the node is not above that number")
    for bit in range(31 - depth, -1, -1):
        key = hmac256(key, bytes([number >> bit & 1]))
    return key


def epoch_keys(leaf):
    return [expand(leaf, b"wayside/1 " + label) for label in (b"content", b"salt", b"commitment")]


def salts(key, count):
    stream = keystream(key, bytes(16), 16 * count)
    return [stream[16 * i:16 * i + 16] for i in range(count)]


# Headers, tree heads, bodies

def read_header(raw):
    must(len(raw) >= 320 and raw[0] == 1 and raw[1] == 0, "header: version or reserved")
    (length,) = struct.unpack(">H", raw[2:4])
    must(length == len(raw) and raw[188:192] == bytes(4), "header: length or reserved")
    kind = KINDS.get(raw[96], raw[96])
    must(kind not in KINDS.values() or length == (401 if kind == "interrupted" else 320),
         "header: length of its kind")
    name = raw[24:56].rstrip(b"\0").decode("ascii")
    must(re.fullmatch(r"[a-z][a-z0-9_.-]{0,31}", name), "header: stream")
    generation, number = struct.unpack(">II", raw[56:64])
    flags, count = struct.unpack(">HI", raw[98:104])
    opened, opened_wall, closed, closed_wall, size = struct.unpack(">QQQQI", raw[152:188])
    must(opened <= closed, "header: closed before it opened")
    header = {
        "device": "0x" + raw[4:24].hex(), "stream": name, "generation": generation,
        "number": number, "previous": hexed(raw[64:96]), "kind": kind, "clock": CLOCKS[raw[97]],
        "flags": flags, "count": count, "root": hexed(raw[104:136]), "boot": raw[136:152].hex(),
        "openedMonotonicMs": opened, "closedMonotonicMs": closed, "bodyBytes": size,
        "bodyHash": hexed(raw[192:224]), "commitment": hexed(raw[224:256]),
        "terms": hexed(raw[256:288]), "setup": hexed(raw[288:320]),
    }
    if opened_wall:
        header["openedWallMs"] = opened_wall
    if closed_wall:
        header["closedWallMs"] = closed_wall
    if kind == "interrupted":
        header["interrupted"] = {"boot": raw[320:336].hex(), "headSignature": hexed(raw[336:401])}
    return header


def place_of(raw):
    return raw[:2] + bytes(2) + raw[4:96]


def head_digest(raw):
    return sha256(b"wayside/1 head\0", place_of(raw), raw[100:104], raw[104:136], raw[136:152],
                  raw[168:176])


def check_header(raw, signature):
    header = read_header(raw)
    signer = recover(sha256(b"wayside/1 header\0", raw), signature)
    if header["kind"] == "interrupted":
        must(recover(head_digest(raw), raw[336:401]) == signer, "header: its tree head")
    return header, signer


def read_message(message):
    (length,) = struct.unpack(">H", message[2:4])
    raw, signature, body = message[:length], message[length:length + 65], message[length + 65:]
    header, signer = check_header(raw, signature)
    must(len(body) == header["bodyBytes"], "epoch: length of the body")
    must(hexed(sha256(body)) == header["bodyHash"], "epoch: another body")
    return header, signer, raw, body


def open_epoch(message, leaf):
    header, signer, raw, body = read_message(message)
    content, salt_key, commitment = epoch_keys(leaf)
    must(hexed(commitment) == header["commitment"], "key: not what the header commits to")
    must(body[0] == 0xD0, "body: not tag 16")
    protected, headers, sealed = decode(body[1:])
    must(protected == encode({1: 3}) and list(headers) == [5], "body: COSE headers")
    plain = gcm_open(content, headers[5], sealed, encode(["Encrypt0", protected, place_of(raw)]))
    must(len(plain) % 256 == 0, "body: not padded")
    packs, rest = [], plain
    while True:
        value, behind = decode_first(rest)
        if isinstance(value, bytes):
            must(behind == b"" and not any(value), "body: padding")
            break
        packs.append(rest[:len(rest) - len(behind)])
        rest = behind
    must(len(packs) == header["count"], "epoch: count")
    leaves = [leaf_hash(*both) for both in zip(salts(salt_key, len(packs)), packs)]
    must(hexed(root_of(leaves)) == header["root"], "epoch: root")
    return [read_pack(pack, header) for pack in packs]


# Enrolment, documents, evidence

def read_enrolment(raw):
    must(len(raw) == 133 and raw[:4] == bytes([1, 0, 0, 68]), "enrolment: version or length")
    device, operator, key = ("0x" + raw[at:at + 20].hex() for at in (4, 24, 44))
    signer = recover(sha256(b"wayside/1 enrolment\0", raw[:68]), raw[68:])
    must(signer == operator, "enrolment: not by the operator")
    return device, operator, key


def jcs(value):
    """RFC 8785 for what the vectors hold: ASCII names, numbers that Python spells as ECMAScript."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def document_signer(kind, text):
    whole = json.loads(text)
    must(set(whole) == {kind, "signature"}, kind + ": members")
    digest = sha256(b"wayside/1 " + kind.encode() + b"\0", jcs(whole[kind]))
    return recover(digest, raw_of(whole["signature"]))


def check_evidence(raw):
    part = decode(raw)
    known = {"v", "pack", "salt", "index", "path", "header", "signature", "enrolment"}
    must(set(part) <= known and part["v"] == 1, "evidence: version or parts")
    header, signer = check_header(part["header"], part["signature"])
    must(header["kind"] in ("readings", "interrupted"), "evidence: no readings in that kind")
    leaf = leaf_hash(part["salt"], part["pack"])
    root = climb(leaf, part["index"], header["count"], part["path"])
    must(hexed(root) == header["root"], "evidence: not in the signed epoch")
    proof = {"device": header["device"], "signer": signer, "index": part["index"],
             "reading": read_pack(part["pack"], header)}
    if "enrolment" not in part:
        must(signer == header["device"], "evidence: a key that nobody enrolled")
        return proof
    device, proof["operator"], key = read_enrolment(part["enrolment"])
    must((device, key) == (header["device"], signer), "evidence: the enrolment is of another")
    return proof
