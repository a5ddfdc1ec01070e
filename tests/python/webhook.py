"""Checks signatures of webhooks (Standard Webhooks, v1a) with cryptography, which knows nothing of us.

Usage: webhook.py KEY FILE
KEY is the sender's public key, whpk_ and base64. FILE has one JSON object a line, with the headers id,
timestamp and signature, and the body as it came.
Ends with 0 where every signature holds, else with 1 and the number of the line.
"""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def main(key, path):
    prefix, digits = key[:5], key[5:]
    assert prefix == "whpk_", "no public key of Standard Webhooks"
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(digits))
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            posted = json.loads(line)
            version, signature = posted["signature"].split(",")
            assert version == "v1a", "another scheme"
            assert "." not in posted["id"] and posted["timestamp"].isdigit(), "what is signed is ambiguous"
            signed = ".".join([posted["id"], posted["timestamp"], posted["body"]]).encode()
            try:
                key.verify(base64.b64decode(signature, validate=True), signed)
            except InvalidSignature:
                print(f"line {number}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
