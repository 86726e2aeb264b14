"""The vector files beside this folder, and how two values are held equal."""
import json
from pathlib import Path

from .primitives import must

HERE = Path(__file__).parent.parent


def load(name):
    return json.loads((HERE / (name + ".json")).read_text())


def same(one, other, what):
    must(one == other, f"{what}: {one!r} is not {other!r}")
