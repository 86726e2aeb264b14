"""The primitives that the standard library lacks, written from their standards, slow and plain.

AES-256 (FIPS 197), CTR and GCM (SP 800-38A, -38D), Keccak-256, secp256k1 recovery (SEC 1 4.1.6),
X25519 (RFC 7748), HKDF-Expand (RFC 5869), HPKE (RFC 9180).
Not constant in time: for checking public vectors, never for secrets.
"""
import hashlib
import hmac
import struct


class Refused(Exception):
    """What the wire does not allow."""


def must(holds, sentence):
    if not holds:
        raise Refused(sentence)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hmac256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(prk, info, length=32):
    out, block = b"", b""
    for i in range(1, 1 + -(-length // 32)):
        block = hmac256(prk, block + info + bytes([i]))
        out += block
    return out[:length]


# Keccak-256, with the padding of 2011 that Ethereum kept

def rotations():
    x, y, table = 1, 0, {(0, 0): 0}
    for t in range(24):
        table[x, y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return table


def round_constants():
    lfsr, constants = 1, []
    for _ in range(24):
        constant = 0
        for j in range(7):
            if lfsr & 1:
                constant |= 1 << (2 ** j - 1)
            lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)
        constants.append(constant)
    return constants


ROTATIONS, CONSTANTS = rotations(), round_constants()


def rotate(value, by):
    return ((value << by) | (value >> (64 - by))) & (2 ** 64 - 1)


def permute(a):
    for constant in CONSTANTS:
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[x - 1] ^ rotate(c[(x + 1) % 5], 1) for x in range(5)]
        b = [[0] * 5 for _ in range(5)]
        for x in range(5):
            for y in range(5):
                b[y][(2 * x + 3 * y) % 5] = rotate(a[x][y] ^ d[x], ROTATIONS[x, y])
        for x in range(5):
            for y in range(5):
                a[x][y] = b[x][y] ^ (~b[(x + 1) % 5][y] & b[(x + 2) % 5][y])
        a[0][0] ^= constant


def keccak(data):
    rate = 136
    data = data + b"\x01" + bytes(-(len(data) + 1) % rate)
    data = data[:-1] + bytes([data[-1] | 0x80])
    state = [[0] * 5 for _ in range(5)]
    for at in range(0, len(data), rate):
        for i, lane in enumerate(struct.unpack("<17Q", data[at:at + rate])):
            state[i % 5][i // 5] ^= lane
        permute(state)
    return struct.pack("<4Q", *(state[i][0] for i in range(4)))


# secp256k1

P = 2 ** 256 - 2 ** 32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(point, k):
    out = None
    while k:
        if k & 1:
            out = add(out, point)
        point, k = add(point, point), k >> 1
    return out


def recover(digest, signature):
    """The signer's address, lower case with 0x. Refuses what the wire refuses: size, v, high s."""
    must(len(signature) == 65 and signature[64] in (27, 28), "signature: not r, s, v")
    r, s = (int.from_bytes(signature[i:i + 32], "big") for i in (0, 32))
    must(0 < r < N and 0 < s <= N // 2, "signature: out of range, or high s")
    y = pow(r ** 3 + 7, (P + 1) // 4, P)
    must(y * y % P == (r ** 3 + 7) % P, "signature: r is on no point")
    if y % 2 != signature[64] - 27:
        y = P - y
    inverse = pow(r, -1, N)
    e = int.from_bytes(digest, "big")
    key = add(times((r, y), s * inverse % N), times(G, -e * inverse % N))
    must(key is not None, "signature: of no key")
    return "0x" + keccak(b"".join(part.to_bytes(32, "big") for part in key))[12:].hex()


# AES-256, CTR, GCM

def double(byte):
    return (byte << 1) ^ (0x11B if byte & 0x80 else 0)


def sbox():
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p = p ^ double(p)
        for shift in (1, 2, 4):
            q ^= q << shift & 0xFF
        q ^= 0x09 if q & 0x80 else 0
        x = q
        for shift in (1, 2, 3, 4):
            x ^= (q << shift | q >> (8 - shift)) & 0xFF
        box[p] = x ^ 0x63
        if p == 1:
            return box


SBOX = sbox()


def schedule(key):
    words, constant = [key[i:i + 4] for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        word = words[-1]
        if i % 8 == 0:
            word = bytes(SBOX[b] for b in word[1:] + word[:1])
            word, constant = bytes([word[0] ^ constant]) + word[1:], double(constant)
        elif i % 8 == 4:
            word = bytes(SBOX[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(words[-8], word)))
    return [b"".join(words[i:i + 4]) for i in range(0, 60, 4)]


def encrypt_block(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number, key in enumerate(keys[1:], 1):
        state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < 14:
            mixed = []
            for column in (state[i:i + 4] for i in range(0, 16, 4)):
                every = column[0] ^ column[1] ^ column[2] ^ column[3]
                mixed += [column[i] ^ every ^ double(column[i] ^ column[(i + 1) % 4])
                          for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, key)]
    return bytes(state)


def keystream(key, counter, length):
    """CTR blocks from this 16-byte counter on, the low 32 bits of which count."""
    keys, out, low = schedule(key), b"", int.from_bytes(counter[12:], "big")
    while len(out) < length:
        out += encrypt_block(keys, counter[:12] + (low % 2 ** 32).to_bytes(4, "big"))
        low += 1
    return out[:length]


def ghash(h, data):
    h, y = int.from_bytes(h, "big"), 0
    for at in range(0, len(data), 16):
        y ^= int.from_bytes(data[at:at + 16], "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            if y >> bit & 1:
                z ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y.to_bytes(16, "big")


def gcm_open(key, nonce, sealed, aad):
    text, tag = sealed[:-16], sealed[-16:]
    h = encrypt_block(schedule(key), bytes(16))
    lengths = struct.pack(">QQ", 8 * len(aad), 8 * len(text))
    hashed = ghash(h, aad + bytes(-len(aad) % 16) + text + bytes(-len(text) % 16) + lengths)
    mask = keystream(key, nonce + b"\0\0\0\1", 16)
    must(bytes(a ^ b for a, b in zip(hashed, mask)) == tag, "does not open")
    stream = keystream(key, nonce + b"\0\0\0\2", len(text))
    return bytes(a ^ b for a, b in zip(text, stream))


# X25519 and HPKE (DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM)

def x25519(secret, public):
    p = 2 ** 255 - 19
    k = int.from_bytes(secret, "little") & ~7 & (2 ** 255 - 1) | 2 ** 254
    x1 = int.from_bytes(public, "little") % 2 ** 255
    x2, z2, x3, z3 = 1, 0, x1, 1
    for t in range(254, -1, -1):
        if k >> t & 1:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a, b * b, d * a, c * b
        e = aa - bb
        if k >> t & 1:
            x3, z3, x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p, (da + cb) ** 2 % p, \
                x1 * (da - cb) ** 2 % p
            continue
        x3, z3 = (da + cb) ** 2 % p, x1 * (da - cb) ** 2 % p
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
    must(z2 % p and x2 % p, "x25519: a key that is everybody's")
    return (x2 * pow(z2, -1, p) % p).to_bytes(32, "little")


def public_of(secret):
    return x25519(secret, (9).to_bytes(32, "little"))


def hpke_receive(secret, enc, info, sender=None):
    """(key, nonce, export) of a receiver; auth mode when the sender's public key is given."""
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"

    def extract(suite, salt, label, ikm):
        return hmac256(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)

    def labeled(suite, prk, label, info, length=32):
        return expand(prk, struct.pack(">H", length) + b"HPKE-v1" + suite + label + info, length)

    dh, context = x25519(secret, enc), enc + public_of(secret)
    if sender is not None:
        dh, context = dh + x25519(secret, sender), context + sender
    shared = labeled(kem, extract(kem, b"", b"eae_prk", dh), b"shared_secret", context)
    mode = b"\0" if sender is None else b"\2"
    no_psk = extract(suite, b"", b"psk_id_hash", b"")
    about = mode + no_psk + extract(suite, b"", b"info_hash", info)
    prk = extract(suite, shared, b"secret", b"")
    exporter = labeled(suite, prk, b"exp", about)
    return (labeled(suite, prk, b"key", about), labeled(suite, prk, b"base_nonce", about, 12),
            lambda label: labeled(suite, exporter, b"sec", label))
