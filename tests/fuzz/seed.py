#!/usr/bin/env python3
"""Writes the vectors' byte strings as starting inputs of the fuzz targets."""
import json, pathlib

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE / "../../sdk/spec/vectors"


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def write(target, cases):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(cases):
        (folder / f"vector-{number}").write_bytes(bytes.fromhex(case["hex"]))


encoding, proofs = load("encoding"), load("proofs")
values = encoding["values"] + encoding["refused"]
write("page", [case for case in values if case["type"] == "page"])
write("block", [case for case in values if case["type"] == "block"])
transactions = load("transactions")
write("transaction", transactions["accepted"] + transactions["refused"])
write("state_proof", proofs["accepted"] + proofs["refused"])
write("outcome_proof", proofs["outcomes"] + proofs["outcomes_refused"])
packs = load("packs")
write("pack", [{"hex": case["pack"]} for case in packs["accepted"] + packs["refused"]])
