"""One chain of headers as it was heard, and the runs that bring it: docs/wire.md, sections 6, 10, 19, 20."""
from .cbor import decode, encode, fits, has, uint
from .epoch import cover_of, descend, hexed, open_epoch, read_message
from .primitives import Refused, must, sha256

CLEAR = {
    "tombstone": {"from": uint(32), "to": uint(32), "last": 32,
                  "reason": lambda text: isinstance(text, str) and len(text) <= 200
                  and all(" " <= letter <= "~" for letter in text)},
    "clock map": {"boot": 16, "monotonicMs": uint(53), "wallMs": uint(53),
                  "quality": lambda quality: quality in ("rtc", "synced")},
    "generation": {"generation": uint(32)},
}


def read_statement(header, body):
    """The clear body of a tombstone, clock map or generation."""
    kind = header["kind"]
    said = has(decode(body), CLEAR[kind])
    if kind == "tombstone":
        must(said["from"] <= said["to"] < header["number"], "tombstone: numbers")
        return said
    must(header["stream"] == "device", kind + ": in another chain")
    own = said["generation"] == header["generation"] if kind == "generation" else \
        said["boot"].hex() == header["boot"]
    must(own, kind + ": says otherwise than its header")
    return said


class Chain:
    """What is known of one chain: `hear` messages as they come, then `judge` them in their order."""

    def __init__(self, device, stream, signing_key):
        self.whose, self.signing_key = (device, stream), signing_key
        self.heard, self.stones, self.findings, self.anchor = {}, [], [], None

    def hear(self, message):
        header, signer, raw, body = read_message(message)
        number, digest = header["number"], sha256(raw)
        if (header["device"], header["stream"]) != self.whose:
            self.findings.append((number, "another stream"))
        elif signer != self.signing_key:
            self.findings.append((number, "wrong signature"))
        elif number in self.heard and self.heard[number][1] != digest:
            self.findings.append((number, "fork"))
        else:
            self.anchor = number if self.anchor is None else self.anchor
            self.heard[number] = header, digest, body, message
            if header["kind"] == "tombstone":
                self.bury(header, body)

    def bury(self, header, body):
        try:
            self.stones.append(read_statement(header, body))
        except Refused:
            pass  # Said of it when its turn comes.

    def judge(self):
        """Numbers of readings that are good, findings, and runs of numbers evicted and never given."""
        good, before, sold = [], None, None
        findings, held = list(self.findings), {}
        for number in sorted(one for one in self.heard if one >= self.anchor):
            header, digest, body, message = self.heard[number]
            if held and header["previous"] != self.expected(number, held):
                findings.append((number, "broken chain"))
                continue
            if before is not None and header["generation"] < before:
                findings.append((number, "generation went back"))
                continue
            held[number], before = digest, header["generation"]
            if header["kind"] in ("readings", "interrupted"):
                if sold and sold[0] == header["boot"] and header["openedMonotonicMs"] < sold[1]:
                    findings.append((number, "overlapping time"))
                    continue
                sold = header["boot"], header["closedMonotonicMs"]
                good.append(number)
            elif header["kind"] in CLEAR:
                try:
                    read_statement(header, body)
                except Refused:
                    findings.append((number, "malformed body"))
        lacking = [one for one in range(min(held), max(held)) if one not in held]
        evicted = [one for one in lacking if self.stone(one)]
        gaps = [one for one in lacking if not self.stone(one)]
        return {"epochs": good, "findings": sorted(map(list, findings)),
                "evicted": runs(evicted), "gaps": runs(gaps)}

    def stone(self, number):
        return next((one for one in self.stones if one["from"] <= number <= one["to"]), None)

    def expected(self, number, held):
        """What that header has to name as previous; what it names, where nothing says."""
        if number - 1 in held:
            return hexed(held[number - 1])
        stone = self.stone(number - 1)
        if stone and stone["to"] == number - 1:
            return hexed(stone["last"])
        return self.heard[number][0]["previous"]


def runs(numbers):
    out = []
    for number in numbers:
        if out and out[-1][1] == number - 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return out


# Keys, and runs of chunks

KEY_NODE = [lambda depth: uint(6)(depth) and depth <= 32, uint(32), 32]


def read_keys(raw):
    """{(stream, generation): nodes} of a keys body, each run's nodes its cover."""
    body = has(decode(raw), {"version": uint(64), "covers": list})
    nodes = {}
    must(sum(len(cover["runs"]) for cover in body["covers"]) <= 64, "keys: too many runs")
    for cover in body["covers"]:
        has(cover, {"stream": str, "generation": uint(32), "runs": list})
        for run in cover["runs"]:
            has(run, {"from": uint(32), "to": uint(32), "nodes": list})
            must(all(len(node) == 3 and all(map(fits, node, KEY_NODE)) for node in run["nodes"]),
                 "keys: not a node")
            at = [(depth, prefix) for depth, prefix, _ in run["nodes"]]
            must(at == cover_of(run["from"], run["to"]), "keys: not the cover of that run")
            nodes.setdefault((cover["stream"], cover["generation"]), []).extend(run["nodes"])
    return nodes


def open_with(keys, message):
    """The readings of an epoch message, opened with a keys body."""
    header = read_message(message)[0]
    number = header["number"]
    for depth, prefix, key in keys.get((header["stream"], header["generation"]), []):
        if number >> (32 - depth) == prefix:
            return open_epoch(message, descend((depth, prefix, key), number))
    raise Refused("keys: none for that epoch")


CHUNK = {"kind": lambda kind: kind == "chunk", "to": uint(64), "part": uint(32),
         "messages": lambda all: isinstance(all, list) and len(all) <= 256, "cursor": uint(32),
         "last": bool}


def read_run(parts, to):
    """(messages, cursor) of a run of chunks; the cursor is None when the range is done."""
    messages, chunk = [], None
    for place, part in enumerate(parts):
        must(chunk is None or not chunk["last"], "run: goes on behind its last part")
        chunk = has(decode(part), CHUNK, optional=["cursor"])
        must((chunk["to"], chunk["part"]) == (to, place), "run: a part is missing")
        messages += chunk["messages"]
    must(chunk is not None and chunk["last"], "run: it has not ended")
    return messages, chunk.get("cursor")
