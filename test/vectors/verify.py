#!/usr/bin/env python3
"""An independent check of the golden vectors: docs/wire.md once more, in another language.

    python3 test/vectors/verify.py              every vector; one line each, exit 1 at a difference
    python3 test/vectors/verify.py EVIDENCE     one evidence file (CBOR): who signed what

Nothing but Python's standard library; shares no code with the product.
"""
import json
import sys
from pathlib import Path

from verifier import data, money
from verifier.data import plain
from verifier.documents import check_evidence
from verifier.primitives import Refused


def main():
    if len(sys.argv) > 1:
        print(json.dumps(plain(check_evidence(Path(sys.argv[1]).read_bytes())), indent=2))
        return 0
    failed = 0
    for check in [*data.checks, *money.checks]:
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
