"""Trees, keys, headers, epochs: docs/wire.md, sections 4 to 9, as Python."""
import struct

from .cbor import decode, decode_first, encode
from .primitives import Refused, expand, gcm_open, hmac256, keystream, must, recover, sha256
from .reading import is_stream, read_pack

KINDS = {1: "readings", 2: "interrupted", 3: "tombstone", 4: "clock map", 5: "generation"}
CLOCKS = {0: "unset", 1: "rtc", 2: "synced"}


def hexed(raw):
    return "0x" + raw.hex()


def raw_of(text):
    return bytes.fromhex(text[2:])


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


def cover_of(first, last):
    """(depth, prefix) of the fewest nodes above exactly first..last, in rising order."""
    nodes = []
    while first <= last:
        depth = 32
        while depth and first % (2 << 32 - depth) == 0 and first + (2 << 32 - depth) - 1 <= last:
            depth -= 1
        nodes.append((depth, first >> 32 - depth))
        first += 1 << 32 - depth
    return nodes


def epoch_keys(leaf):
    return [expand(leaf, b"wayside/1 " + label) for label in (b"content", b"salt", b"commitment")]


def salts(key, count):
    stream = keystream(key, bytes(16), 16 * count)
    return [stream[16 * i:16 * i + 16] for i in range(count)]


# Headers, tree heads

def read_header(raw):
    must(len(raw) >= 320 and raw[0] == 1 and raw[1] == 0, "header: version or reserved")
    (length,) = struct.unpack(">H", raw[2:4])
    must(length == len(raw) <= 401 and raw[188:192] == bytes(4), "header: length or reserved")
    kind = KINDS.get(raw[96], raw[96])
    must(kind != 0 and raw[97] in CLOCKS, "header: kind or clock")
    must(kind not in KINDS.values() or length == (401 if kind == "interrupted" else 320),
         "header: length of its kind")
    name = raw[24:56].rstrip(b"\0").decode("latin-1")
    must(is_stream(name), "header: stream")
    generation, number = struct.unpack(">II", raw[56:64])
    flags, count = struct.unpack(">HI", raw[98:104])
    opened, opened_wall, closed, closed_wall, size = struct.unpack(">QQQQI", raw[152:188])
    must(opened <= closed, "header: closed before it opened")
    must(max(closed, opened_wall, closed_wall) < 2 ** 53, "header: a time past 2^53")
    must(raw[97] != 0 or opened_wall == closed_wall == 0, "header: wall time of an unset clock")
    if kind in ("readings", "interrupted"):
        must(count > 0, "header: an epoch without readings")
    elif kind in KINDS.values():
        must(not any(raw[100:136] + raw[224:256]), "header: what only readings have")
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


# Epoch messages, bodies

def read_message(message):
    must(len(message) >= 385, "epoch: shorter than a header")
    (length,) = struct.unpack(">H", message[2:4])
    raw, signature, body = message[:length], message[length:length + 65], message[length + 65:]
    header, signer = check_header(raw, signature)
    must(len(body) == header["bodyBytes"], "epoch: length of the body")
    must(hexed(sha256(body)) == header["bodyHash"], "epoch: another body")
    return header, signer, raw, body


def open_epoch(message, leaf):
    header, signer, raw, body = read_message(message)
    must(header["kind"] in ("readings", "interrupted"), "epoch: without readings")
    content, salt_key, commitment = epoch_keys(leaf)
    must(hexed(commitment) == header["commitment"], "key: not what the header commits to")
    packs = split(gcm_open(content, *open_cose(body, place_of(raw))))
    must(len(packs) == header["count"], "epoch: count")
    leaves = [leaf_hash(*both) for both in zip(salts(salt_key, len(packs)), packs)]
    must(hexed(root_of(leaves)) == header["root"], "epoch: root")
    return [read_pack(pack, header) for pack in packs]


def open_cose(body, place):
    """(nonce, sealed, aad) of a COSE_Encrypt0."""
    must(body[:1] == b"\xd0", "body: not tag 16")
    parts = decode(body[1:])
    must(isinstance(parts, list) and len(parts) == 3, "body: not a COSE_Encrypt0")
    protected, headers, sealed = parts
    must(protected == encode({1: 3}), "body: not A256GCM")
    must(isinstance(headers, dict) and list(headers) == [5], "body: COSE headers")
    must(isinstance(headers[5], bytes) and len(headers[5]) == 12, "body: nonce")
    must(isinstance(sealed, bytes), "body: no ciphertext")
    return headers[5], sealed, encode(["Encrypt0", protected, place])


def split(plain):
    must(plain and len(plain) % 256 == 0, "body: not padded")
    packs, rest = [], plain
    while rest:
        value, behind = decode_first(rest)
        if isinstance(value, bytes):
            must(behind == b"" and not any(value), "body: padding")
            return packs
        packs.append(rest[:len(rest) - len(behind)])
        rest = behind
    raise Refused("body: no padding")
