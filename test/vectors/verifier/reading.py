"""Packs of readings: docs/wire.md, section 3."""
import re

from .cbor import decode, uint
from .primitives import must

# Section 28.
UNITS = set("""
m kg s A K Hz rad N Pa J W C V Ohm T Cel lx Sv m2 m3 l m/s m/s2 m3/s W/m2 lat lon pH dB dBW count /
%RH %EL EL 1/s 1/min S/m B VA VAs var vars J/m kg/m3 deg ms min h MHz kW kVA kvar Ah Wh kWh varh
kvarh kVAh mV mA dBm ug/m3 mm/h ppm /100 /1000 hPa mm cm km km/h ppb VAh
mg/m3 /dL /cm3 um deg/s
""".split())
NAME, UNIT = 0, 1
TYPES = {2: (int, float), 3: (str,), 4: (bool,), 8: (bytes,)}


def is_stream(name):
    return isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_.-]{0,31}", name) is not None


def is_field(name):
    return isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", name) is not None


def read_pack(pack, header):
    """The reading in a pack; the header gives device, stream and boot."""
    records = decode(pack)
    must(isinstance(records, list) and records, "pack: no records")
    must(all(isinstance(record, dict) for record in records), "pack: a record is no map")
    first, reading = records[0], {"stream": header["stream"], "boot": header["boot"]}
    subject = base_name(first.get(-2), header)
    reading.update(time_of(first, header))
    if subject:
        reading["subject"] = subject
    reading["values"] = {}
    for i, record in enumerate(records):
        known = {NAME, UNIT, *TYPES} | ({-2, -3, "mono", "boot_"} if i == 0 else set())
        must(set(record) <= known, "pack: a label that this version does not know")
        held = [label for label in TYPES if label in record]
        must(len(held) == 1, "pack: a field has one value")
        name, value = record.get(NAME), record[held[0]]
        must(is_field(name) and name not in reading["values"], "pack: field name")
        must(type(value) in TYPES[held[0]], "pack: value of another type")
        must(UNIT not in record or record[UNIT] in UNITS, "pack: unit")
        reading["values"][name] = value
    reading["units"] = {record[NAME]: record[UNIT] for record in records if UNIT in record}
    return reading


def base_name(name, header):
    must(isinstance(name, str) and name.endswith("/"), "pack: base name")
    parts = name[:-1].split("/")
    must(parts[:2] == [header["device"], header["stream"]], "pack: of another epoch")
    must(len(parts) < 4, "pack: base name")
    if len(parts) == 2:
        return None
    must(is_field(parts[2]) and ":" not in parts[2], "pack: subject")
    return parts[2]


def time_of(first, header):
    if "boot_" in first:
        must(-3 not in first and "mono" not in first, "pack: set and unset clock at once")
        said = first["boot_"]
        must(isinstance(said, list) and len(said) == 2 and uint(53)(said[1]), "pack: time")
        must(isinstance(said[0], bytes) and said[0].hex() == header["boot"], "pack: of another boot")
        return {"monotonicMs": said[1]}
    base = first.get(-3)
    must(type(base) in (int, float) and uint(53)(first.get("mono")), "pack: no time")
    must(2 ** 28 <= base <= 8.64e12, "pack: base time")
    return {"monotonicMs": first["mono"], "wallMs": round(base * 1000)}
