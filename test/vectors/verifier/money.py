"""The vectors of the money side: EIP-712, payment tree, sessions, prices."""
import re
import struct

from .bodies import SOLD, SPELLED, answer_to, payment, spelled
from .cbor import decode, encode
from .epoch import hexed, raw_of
from .primitives import (Refused, gcm_open, hpke_receive, keccak, must, public_of, recover, sha256,
                         x25519)
from .vectors import load, same


# EIP-712

TYPES = {one["name"]: one["type"] for one in load("money/types")}


def word(kind, value):
    if kind.endswith("[]"):
        return keccak(b"".join(word(kind[:-2], one) for one in value))
    if kind == "string":
        return keccak(value.encode())
    if kind == "bytes32" or kind == "address":
        return raw_of(value).rjust(32, b"\0")
    return int(value).to_bytes(32, "big")


def struct_hash(text, value):
    members = re.match(r"\w+\((.*?)\)", text).group(1).split(",")
    words = [word(kind, value[name]) for kind, name in (member.split(" ") for member in members)]
    return keccak(keccak(text.encode()) + b"".join(words))


def domain(rail=None):
    text, value = "EIP712Domain(string name,string version", {"name": "Wayside", "version": "1"}
    if rail is not None:
        text += ",uint256 chainId,address verifyingContract"
        value = {"name": "x402 Batch Settlement", "version": "1", "chainId": rail["chainId"],
                 "verifyingContract": rail["settlement"]}
    return struct_hash(text + ")", value)


def digest(name, value, rail=None):
    return keccak(b"\x19\x01" + domain(rail) + struct_hash(TYPES[name], value))


def type_strings():
    for one in load("money/types"):
        same(hexed(keccak(one["type"].encode())), one["typeHash"], one["name"])


def channel_id():
    vector = load("money/channel")
    same(hexed(domain(vector["rail"])), vector["domain"], "domain")
    same(hexed(digest("ChannelConfig", vector["config"], vector["rail"])), vector["id"], "id")


def signed_structs():
    rail = load("money/channel")["rail"]
    for name in ("Voucher", "Split", "Grant", "Ack", "State"):
        vector = load("money/" + name.lower())
        check_signed(name, vector, rail if name in ("Voucher", "Split") else None)
    for vector in load("money/order"):
        check_signed("Order", vector, None)


def check_signed(name, vector, rail):
    value = vector["value"]
    same(hexed(digest(name, value, rail)), vector["digest"], name)
    same(recover(raw_of(vector["digest"]), raw_of(value["signature"])), vector["signer"], name)
    must(isinstance(decode(raw_of(vector["cbor"])), (list, dict)), name)


# Payment tree

def tree_leaf(leaf):
    raw = bytes(16) + struct.pack(">I", leaf["index"]) + int(leaf["amount"]).to_bytes(12, "big")
    return keccak(raw + bytes(12) + raw_of(leaf["device"])), int(leaf["amount"])


def join(left, right):
    total = left[1] + right[1]
    must(total < 2 ** 96, "payment tree: past 96 bits")
    if left == right == (bytes(32), 0):
        return left
    sums = left[1].to_bytes(12, "big") + right[1].to_bytes(12, "big")
    return keccak(left[0] + right[0] + b"paytree1" + sums), total


def climb_sums(leaf, path):
    here = tree_leaf(leaf)
    for height, step in enumerate(path):
        beside = raw_of(step["hash"]), int(step["sum"])
        here = join(beside, here) if leaf["index"] >> height & 1 else join(here, beside)
    return here


def payment_trees():
    for tree in load("money/paymenttree"):
        level = [tree_leaf(leaf) for leaf in tree["leaves"]]
        while len(level) > 1:
            level += [(bytes(32), 0)] * (len(level) % 2)
            level = [join(*level[i:i + 2]) for i in range(0, len(level), 2)]
        same((hexed(level[0][0]), str(level[0][1])), (tree["root"], tree["total"]), "root")
        for leaf in tree["leaves"]:
            here = climb_sums(leaf, leaf["path"])
            same((hexed(here[0]), str(here[1])), (tree["root"], tree["total"]), "path")


# Sessions

def sealed_order():
    vector = load("money/sealedorder")
    message = raw_of(vector["message"])
    must(message[0] == 1, "order: code")
    session, enc, sealed = message[1:33], message[33:65], message[65:]
    secret = raw_of(vector["seller"]["privateKey"])
    same(hexed(public_of(secret)), vector["seller"]["publicKey"], "seller")
    key, nonce, export = hpke_receive(secret, enc, b"wayside/1 order", session)
    document = gcm_open(key, nonce, sealed, message[:33])
    same(hexed(document), vector["document"], "document")
    for name in ("ask", "answer", "keys"):
        same(hexed(export(b"wayside/1 " + name.encode())), vector[name], name)
    order = decode(document)
    same(order["order"]["sessionKey"], session, "the order names the session that sealed it")
    payer_authorizer = order["config"][1]
    value = {name: hexed(part) if isinstance(part, bytes) else part
             for name, part in order["order"].items()}
    value["terms"] = list(map(hexed, order["order"]["terms"]))
    value["ceilingAmount"] = int.from_bytes(order["order"]["ceilingAmount"], "big")
    same(recover(digest("Order", value), order["order"]["signature"]), hexed(payer_authorizer),
         "the order is signed by the key that pays")


def keys_of_everybody_are_refused():
    secret = raw_of(load("money/sealedorder")["seller"]["privateKey"])
    for low in (0, 1, 2 ** 255 - 20):
        try:
            x25519(secret, low.to_bytes(32, "little"))
        except Refused:
            continue
        raise Refused("x25519: taken, though anybody can know what comes of it")


def session_messages():
    codes = {"request": 2, "answer": 3, "keys": 4}
    for one in load("money/messages"):
        message, kind = raw_of(one["message"]), one["kind"]
        counter = int(one["counter"]).to_bytes(8, "big")
        head = bytes([codes[kind]]) + raw_of(one["keys"]["id"]) + counter
        same(message[:25], head, "head")
        key = raw_of(one["keys"]["ask" if kind == "request" else kind])
        same(hexed(gcm_open(key, message[25:37], message[37:], head)), one["plain"], kind)
    same(hexed(sha256(raw_of(load("money/sealedorder")["session"]["publicKey"]))[:16]),
         load("money/messages")[0]["keys"]["id"], "session id")


def bodies():
    for name in SPELLED:
        for one in load("money/" + name):
            same(spelled(name, raw_of(one["cbor"])), one["body"], name)
    for name in ("grants", "acks"):
        [row] = decode(raw_of(load("money/retained")[name]))
        same(encode(row), raw_of(load("money/" + name[:-1])["cbor"]), name)


def payments():
    """One after the other, as a device is asked to take them."""
    vector = load("money/payments")
    ground, last, promised = vector["ground"], None, 0
    for step in vector["steps"]:
        paid = payment(decode(raw_of(step["payment"])))
        said = answer_to(paid, ground, last, promised, proves,
                         lambda paid: by_payer(paid, ground))
        same(said, step["answer"], step["what"])
        if said == "taken":
            last, promised = paid, int(paid["leaf"]["amount"])
        same(str(promised), step["promised"], step["what"])


def proves(paid):
    leaf, split = paid["leaf"], paid["split"]
    if leaf["index"] >= 2 ** len(paid["path"]):
        return False
    try:
        here = climb_sums(leaf, paid["path"])
    except Refused:
        return False
    return (hexed(here[0]), str(here[1])) == (split["root"], split["total"])


def by_payer(paid, ground):
    for name in ("Voucher", "Split"):
        signature = raw_of(paid[name.lower()]["signature"])
        try:
            signer = recover(digest(name, paid[name.lower()], ground["rail"]), signature)
        except Refused:
            return False
        if signer != ground["payerAuthorizer"]:
            return False
    return True


def sold():
    vector = load("money/sold")
    message, device = raw_of(vector["message"]), raw_of(vector["device"])
    must(message[0] == 5, "sold: code")
    key, nonce, _ = hpke_receive(raw_of(vector["gateway"]["privateKey"]), message[1:33],
                                 b"wayside/1 sold")
    rows = SOLD(decode(gcm_open(key, nonce, message[33:], b"\5" + device)))
    same(rows, vector["payments"], "sold")


def prices():
    for one in load("money/price"):
        amount, per = int(one["price"]["amount"]), int(one["price"]["perMs"])
        covered = int(one["coveredMs"])
        due = covered * amount // per
        same(str(due), one["due"], "due")
        same(str((covered + 1000) * amount // per - due), one["nextSecond"], "charge")


def bent_signatures_are_refused():
    vector = load("money/voucher")
    signature = bytearray(raw_of(vector["value"]["signature"]))
    signature[40] ^= 1
    try:
        signer = recover(raw_of(vector["digest"]), bytes(signature))
    except Refused:
        return
    must(signer != vector["signer"], "a bent signature is still the buyer's")


checks = [type_strings, channel_id, signed_structs, payment_trees, sealed_order,
          keys_of_everybody_are_refused, session_messages, bodies, payments, sold, prices,
          bent_signatures_are_refused]
