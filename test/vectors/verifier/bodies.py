"""Bodies of session messages, and what a device answers to a payment: docs/wire.md, sections 15 to 20."""
from .cbor import decode, fits, uint
from .epoch import hexed
from .primitives import must
from .reading import is_stream

# How each part stands in CBOR, and how the vectors spell it.


def plain(rule):
    def spell(value):
        must(fits(value, rule), "body: not such a value")
        return value
    return spell


def in_hex(size):
    return lambda value: hexed(plain(size)(value))


def amount(bits):
    def spell(value):
        must(isinstance(value, bytes) and 8 * len(value) <= bits, "body: not an amount")
        must(value[:1] != b"\0", "body: an amount with a leading zero")
        return str(int.from_bytes(value, "big"))
    return spell


def uint64(value):
    return str(plain(uint(64))(value))


def each(of, most):
    def spell(value):
        must(isinstance(value, list) and len(value) <= most, "body: not such a list")
        return [of(one) for one in value]
    return spell


def row(**members):
    def spell(value):
        must(isinstance(value, list) and len(value) == len(members), "body: not such a row")
        return {name: of(one) for (name, of), one in zip(members.items(), value)}
    return spell


def record(optional=(), **members):
    def spell(value):
        must(isinstance(value, dict) and set(value) <= set(members), "body: unknown members")
        must(all(name in value or name in optional for name in members), "body: lacks a member")
        return {name: members[name](value[name]) for name in value}
    return spell


def choice(**kinds):
    def spell(value):
        must(isinstance(value, dict) and value.get("kind") in kinds, "body: of no kind")
        rest = {name: part for name, part in value.items() if name != "kind"}
        return {"kind": value["kind"], **kinds[value["kind"]](rest)}
    return spell


def path(value):
    must(isinstance(value, bytes) and len(value) % 44 == 0 and len(value) <= 20 * 44, "body: path")
    steps = [value[at:at + 44] for at in range(0, len(value), 44)]
    return [{"hash": hexed(step[:32]), "sum": str(int.from_bytes(step[32:], "big"))}
            for step in steps]


def payment(value):
    flat = row(channelId=HASH, period=uint64, total=amount(96), root=HASH, voucher=SIGNATURE,
               split=SIGNATURE, index=UINT32, device=ADDRESS, amount=amount(96), path=path)(value)
    channel, total = flat["channelId"], flat["total"]
    return {
        "voucher": {"channelId": channel, "maxClaimableAmount": total,
                    "signature": flat["voucher"]},
        "split": {"channelId": channel, "period": flat["period"], "total": total,
                  "root": flat["root"], "signature": flat["split"]},
        "leaf": {name: flat[name] for name in ("index", "device", "amount")},
        "path": flat["path"],
    }


def in_order(of):
    def spell(value):
        span = of(value)
        must(span["from"] <= span["to"], "body: ends before it begins")
        return span
    return spell


def refusal(value):
    said = record(code=plain(str), facts=each(row(name=plain(str), fact=plain(str)), 8))(value)
    return {"code": said["code"],
            "facts": {fact["name"]: fact["fact"] for fact in said["facts"]}}


UINT32, HASH, ADDRESS, SIGNATURE = plain(uint(32)), in_hex(32), in_hex(20), in_hex(65)
STREAM, BOOL, MS = plain(is_stream), plain(bool), plain(uint(53))
VOUCHER = row(channelId=HASH, maxClaimableAmount=amount(128), signature=SIGNATURE)
SPLIT = row(channelId=HASH, period=uint64, total=amount(96), root=HASH, signature=SIGNATURE)
LEAF = row(index=UINT32, device=ADDRESS, amount=amount(96))
STATE = row(channelId=HASH, device=ADDRESS, order=uint64, promised=amount(128),
            delivered=amount(128), acknowledged=amount(128), period=uint64, root=HASH,
            counter=uint64, timeMs=MS, signature=SIGNATURE)
RANGES = each(in_order(row(**{"stream": STREAM, "generation": UINT32, "from": UINT32,
                              "to": UINT32})), 64)
STANDING = record(["payment", "place"], to=uint64, state=STATE, payment=payment,
                  keysVersion=uint64, place=record(index=UINT32))
REQUEST = choice(
    promise=record(payment=payment, buy=RANGES), take=record(buy=RANGES), state=record(),
    fetch=in_order(record(["generation", "cursor"], **{
        "stream": STREAM, "generation": UINT32, "from": UINT32, "to": UINT32, "cursor": UINT32})),
    confirm=record(version=uint64), end=record(), refund=record(amount=amount(128)),
    books=record(voucher=VOUCHER, split=SPLIT, leaves=each(LEAF, 16384)))
ANSWER = choice(
    welcome=STANDING, state=STANDING, ok=record(to=uint64),
    chunk=record(["cursor"], to=uint64, part=UINT32, cursor=UINT32, last=BOOL,
                 messages=each(lambda one: hexed(plain(bytes)(one)), 256)),
    refusal=record(to=uint64, refusal=refusal))
NODE = row(depth=plain(lambda depth: uint(6)(depth) and depth <= 32), prefix=UINT32, key=HASH)
RUN = in_order(record(**{"from": UINT32, "to": UINT32, "nodes": each(NODE, 62)}))
KEYS = record(version=uint64, covers=each(
    record(stream=STREAM, generation=UINT32, runs=each(RUN, 64)), 64))
SPELLED = {"requests": REQUEST, "answers": ANSWER, "keysbodies": KEYS}
SOLD = each(payment, 512)


def spelled(name, raw):
    return SPELLED[name](decode(raw))


# A payment, as a device takes it

def answer_to(paid, ground, last, promised, proves, signed):
    """The code of a refusal, `old` where nothing changes, or `taken`; in the order of section 15."""
    split, leaf = paid["split"], paid["leaf"]
    if split["channelId"] != ground["channelId"]:
        return "promise-channel"
    if (leaf["device"], leaf["index"]) != (ground["device"], ground["index"]):
        return "promise-leaf"
    if last is not None:
        period, before = int(split["period"]), int(last["split"]["period"])
        if period <= before:
            same = all(split[name] == last["split"][name] for name in ("root", "total"))
            return "old" if period < before or same else "promise-two-trees"
        if int(leaf["amount"]) < promised or int(split["total"]) < int(last["split"]["total"]):
            return "promise-lower"
    if not proves(paid):
        return "promise-path"
    if not signed(paid):
        return "promise-signature"
    return "taken" if int(leaf["amount"]) <= int(ground["cap"]) else "promise-over-cap"
