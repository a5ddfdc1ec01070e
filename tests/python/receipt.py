"""Checks a COSE receipt (RFC 9942) with pycose, which knows nothing of this ledger.

Usage: receipt.py RECEIPT ENTRY KEY
ENTRY is the line's 48 bytes in hexadecimal digits; KEY is the signer's public key as the register
lists it: 1: and an Ed25519 key, or 2: and a P-256 point, in hexadecimal digits.
Prints the root and ends with 0 where the signature holds, else with 1.
"""

import hashlib
import sys

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from pycose.keys import EC2Key, OKPKey
from pycose.keys.curves import P256, Ed25519
from pycose.messages import Sign1Message


def inclusion_root(entry, size, index, path):
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        raise ValueError("the place is beyond the tree")
    node, last, digest = index, size - 1, hashlib.sha256(b"\x00" + entry).digest()
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if node & 1 or node == last:
            digest = hashlib.sha256(b"\x01" + sibling + digest).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            digest = hashlib.sha256(b"\x01" + digest + sibling).digest()
        node, last = node >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return digest


def public_key(text):
    algorithm, digits = text.split(":")
    data = bytes.fromhex(digits)
    if algorithm == "1":
        return OKPKey(crv=Ed25519, x=data)
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data).public_numbers()
    return EC2Key(crv=P256, x=point.x.to_bytes(32, "big"), y=point.y.to_bytes(32, "big"))


def main(receipt, entry, key):
    with open(receipt, "rb") as file:
        data = file.read()
    message = Sign1Message.decode(data)
    tag = cbor2.loads(data)
    protected = cbor2.loads(tag.value[0])
    assert tag.tag == 18 and protected[395] == 1, "no receipt over a tree of RFC 9162"
    assert tag.value[2] is None, "the payload is detached"
    [proof] = tag.value[1][396][-1]
    size, index, path = cbor2.loads(proof)
    root = inclusion_root(bytes.fromhex(entry), size, index, path)
    message.key = public_key(key)
    message.payload = root
    print(root.hex())
    return 0 if message.verify_signature() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
