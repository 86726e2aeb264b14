"""Enrolment, signed documents, evidence: docs/wire.md, sections 11 to 13, as Python."""
import json
import re

from .cbor import decode, has, uint
from .epoch import check_header, climb, hexed, leaf_hash, raw_of
from .primitives import Refused, must, recover, sha256
from .reading import UNITS, is_field, is_stream, read_pack


def read_enrolment(raw):
    must(len(raw) == 133 and raw[:4] == bytes([1, 0, 0, 68]), "enrolment: version or length")
    device, operator, key = ("0x" + raw[at:at + 20].hex() for at in (4, 24, 44))
    signer = recover(sha256(b"wayside/1 enrolment\0", raw[:68]), raw[68:])
    must(signer == operator, "enrolment: not by the operator")
    return device, operator, key


def check_evidence(raw):
    must(len(raw) <= 65536, "evidence: too large")
    part = has(decode(raw), {
        "v": lambda v: v == 1, "pack": bytes, "salt": 16, "index": uint(32), "path": is_path,
        "header": bytes, "signature": 65, "enrolment": 133}, optional=["enrolment"])
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


def is_path(value):
    return isinstance(value, list) and len(value) <= 32 and all(
        isinstance(step, bytes) and len(step) == 32 for step in value)


# Signed documents

def jcs(value):
    """RFC 8785 for what the vectors hold: ASCII names, numbers that Python spells as ECMAScript."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_document(kind, text):
    """(document, signer) of an offer, setup or index, its members checked."""
    must(len(text.encode()) <= 262144, kind + ": too large")
    try:
        whole = json.loads(text)
    except ValueError:
        raise Refused(kind + ": not JSON") from None
    must(isinstance(whole, dict) and set(whole) == {kind, "signature"}, kind + ": members")
    must(matches("0x[0-9a-f]{130}")(whole["signature"]), kind + ": signature")
    digest = sha256(b"wayside/1 " + kind.encode() + b"\0", jcs(whole[kind]))
    signer = recover(digest, raw_of(whole["signature"]))
    must(SHAPES[kind](whole[kind]), kind + ": members")
    if kind == "offer":
        check_offer(whole["offer"], signer)
    return whole[kind], signer


def check_offer(offer, signer):
    names = [terms["stream"] for terms in offer["streams"]]
    must(signer == offer["signingKey"], "offer: not by the key that it names")
    must(len(set(names)) == len(names), "offer: a stream twice")
    if "enrolment" not in offer:
        must(signer == offer["device"], "offer: a key that nobody enrolled")
        return
    enrolled = read_enrolment(raw_of(offer["enrolment"]))
    must(enrolled == (offer["device"], offer["operator"], signer), "offer: enrolment of another")


def check_gateway(offer, operator):
    """A gateway's offer names one key thrice and sells no streams."""
    names = {offer["device"], offer["operator"], offer["signingKey"]}
    must(names == {operator} and offer["streams"] == [], "offer: not that gateway's")


# The shapes of wire.cddl: what they do not list is passed over

def matches(pattern):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def number(low, high, whole=True):
    kinds = (int,) if whole else (int, float)
    return lambda value: type(value) in kinds and low <= value <= high


def text(most):
    return lambda value: isinstance(value, str) and len(value) <= most


def each(rule, most, least=0):
    return lambda value: (isinstance(value, list) and least <= len(value) <= most
                          and all(map(rule, value)))


def of(optional=(), **members):
    return lambda value: isinstance(value, dict) and all(
        rule(value[name]) if name in value else name in optional
        for name, rule in members.items())


UINT32, UINT53 = number(0, 2 ** 32 - 1), number(0, 2 ** 53 - 1)
ADDRESS, HASH = matches("0x[0-9a-f]{40}"), matches("0x[0-9a-f]{64}")
RAIL = of(["permit2Collector"], chainId=number(1, 2 ** 53 - 1), settlement=ADDRESS,
          collector=ADDRESS, permit2Collector=ADDRESS, token=ADDRESS, tokenName=text(100),
          tokenVersion=text(20), decimals=number(0, 36))
FIELD = of(["unit", "resolution"], name=is_field, unit=lambda unit: unit in UNITS,
           type=lambda value: value in ("number", "integer", "boolean", "text", "bytes"),
           resolution=lambda value: number(0, float("inf"), whole=False)(value) and value > 0)
TERMS = of(["title", "model"], stream=is_stream, title=text(200), fields=each(FIELD, 256, 1),
           epochMs=number(100, 86400000),
           price=of(amount=matches("0|[1-9][0-9]{0,38}"), perMs=number(1, 2 ** 53 - 1)),
           policy=text(500), model=of(name=text(100), version=text(50), digest=HASH))
MARK = of(["wallMs"], number=UINT32, monotonicMs=UINT53, wallMs=UINT53)
SHELF = of(stream=is_stream, first=MARK, last=MARK, lastHash=HASH,
           generations=each(of(generation=UINT32, first=UINT32, last=UINT32), 64),
           tombstones=each(of(**{"from": UINT32, "to": UINT32}), 256))
SHAPES = {
    "offer": of(["enrolment"], version=UINT32, device=ADDRESS, operator=ADDRESS,
                signingKey=ADDRESS, hpke=HASH, receiver=ADDRESS, gateway=ADDRESS,
                rails=each(RAIL, 16), withdrawDelayMinS=number(0, 2 ** 40 - 1),
                streams=each(TERMS, 256), enrolment=matches("0x[0-9a-f]{266}")),
    "setup": of(["driver", "sensor", "labels", "place"], version=UINT32, device=ADDRESS,
                stream=is_stream, product=text(200),
                driver=of(["check"], id=text(200), version=text(200), check=text(200)),
                sensor=of(["make", "model", "serial", "calibration"], make=text(200),
                          model=text(200), serial=text(200), calibration=text(1000)),
                labels=lambda value: isinstance(value, dict) and all(
                    is_field(name) and text(200)(label) for name, label in value.items()),
                place=of(["lat", "lon", "altM", "note"], lat=number(-90, 90, whole=False),
                         lon=number(-180, 180, whole=False), note=text(500),
                         altM=number(float("-inf"), float("inf"), whole=False))),
    "index": of(version=UINT53, device=ADDRESS, streams=each(SHELF, 257)),
}
