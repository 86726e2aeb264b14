"""CBOR in its one deterministic spelling (RFC 8949 4.2.1); what is spelled otherwise is refused."""
import struct

from .primitives import Refused, must

NESTING_MAX = 16


def decode(data):
    value, rest = decode_first(data)
    must(rest == b"", "cbor: bytes follow")
    return value


def decode_first(data):
    value, at = item(data, 0)
    must(encode(value) == data[:at], "cbor: not deterministic")
    return value, data[at:]


def item(data, at, depth=0):
    must(at < len(data), "cbor: cut short")
    must(depth <= NESTING_MAX, "cbor: nested too deep")
    major, low, at = data[at] >> 5, data[at] & 31, at + 1
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(low, 0)
    must(low < 28 and at + size <= len(data), "cbor: no such head")
    raw, at = data[at:at + size], at + size
    if major == 7:
        must(low in (20, 21, 22, 25, 26, 27), "cbor: no such simple value")
        plain = {20: False, 21: True, 22: None}
        return (plain[low] if low in plain else
                struct.unpack(">" + "efd"[low - 25], raw)[0]), at
    must(major != 6, "cbor: a tag")
    n = int.from_bytes(raw, "big") if size else low
    if major < 2:
        return (n if major == 0 else -1 - n), at
    if major < 4:
        must(at + n <= len(data), "cbor: cut short")
        chunk = data[at:at + n]
        return (chunk if major == 2 else text_of(chunk)), at + n
    items = []
    for _ in range(n * (2 if major == 5 else 1)):
        value, at = item(data, at, depth + 1)
        items.append(value)
    if major == 4:
        return items, at
    must(all(type(key) in (int, str) for key in items[::2]), "cbor: a key of another type")
    return dict(zip(items[::2], items[1::2])), at


def text_of(chunk):
    try:
        return chunk.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("cbor: a text that is no UTF-8") from None


def has(value, members, optional=()):
    """A map of just these members: name to type, to size of bytes, or to a rule."""
    must(isinstance(value, dict), "not a map")
    must(set(value) <= set(members), "a member that this version does not know")
    for name, rule in members.items():
        if name not in value and name in optional:
            continue
        must(name in value and fits(value[name], rule), f"{name}: lacking, or not such a value")
    return value


def fits(value, rule):
    if isinstance(rule, int):
        return isinstance(value, bytes) and len(value) == rule
    if isinstance(rule, type):
        return type(value) is rule
    return rule(value)


def uint(bits):
    return lambda value: type(value) is int and 0 <= value < 2 ** bits


def head(major, n):
    for low, size in ((None, 0), (24, 1), (25, 2), (26, 4), (27, 8)):
        if n < (24 if low is None else 256 ** size):
            return bytes([major << 5 | (n if low is None else low)]) + n.to_bytes(size, "big") \
                if size else bytes([major << 5 | n])
    raise Refused("cbor: a number past 64 bits")


def encode(value):
    if value is None or isinstance(value, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, float):
        return encode_float(value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    pairs = sorted((encode(key), encode(item)) for key, item in value.items())
    return head(5, len(pairs)) + b"".join(key + item for key, item in pairs)


def encode_float(value):
    must(value == value and abs(value) != float("inf"), "cbor: no number")
    if value == int(value) and abs(value) < 2 ** 53:
        return encode(int(value))
    for form, first in (("e", b"\xf9"), ("f", b"\xfa")):
        try:
            if struct.unpack(">" + form, struct.pack(">" + form, value))[0] == value:
                return first + struct.pack(">" + form, value)
        except OverflowError:
            pass
    return b"\xfb" + struct.pack(">d", value)
