#!/usr/bin/env python3
"""A second reader of the vectors, written from the pages of the spec alone.

Python's standard library is enough; where the package `cryptography` is there, ordinary
signatures are checked too. Prints what it checked; exit code 1 when anything differs.
"""
import datetime, hashlib, json, os, re, sys, unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))


def load(name):
    with open(os.path.join(HERE, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


# --- C: encoding -------------------------------------------------------------------------------

class Refused(Exception):
    pass


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Refused("C-2")
        self.at += count
        return self.data[self.at - count:self.at]


def number(width):
    return (lambda r: int.from_bytes(r.take(width), "little"), lambda v: v.to_bytes(width, "little"))


U8, U16, U32, U64 = number(1), number(2), number(4), number(8)


def fixed(width):
    return (lambda r: r.take(width).hex(), lambda v: bytes.fromhex(v))


DIGEST, TAG = fixed(32), fixed(16)


def read_bool(r):
    value = r.take(1)[0]
    if value > 1:
        raise Refused("C-2")
    return value == 1


BOOL = (read_bool, lambda v: bytes([v]))


def read_bytes(r):
    return r.take(U64[0](r))


BYTES = (lambda r: read_bytes(r).hex(), lambda v: U64[1](len(v) // 2) + bytes.fromhex(v))


def matching(pattern):
    def read(r):
        try:
            text = read_bytes(r).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("C-2")
        if not re.fullmatch(pattern, text, re.S):
            raise Refused("ID")
        return text
    return (read, lambda v: U64[1](len(v.encode())) + v.encode())


TEXT, DIVISION = matching(".*"), matching("[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}")
CREDIT, TYPE_CODE = matching("[0-9A-Z]{18}"), matching("[0-9A-Z]{21}")


def option(kind):
    def read(r):
        return kind[0](r) if read_bool(r) else None
    return (read, lambda v: b"\0" if v is None else b"\1" + kind[1](v))


def listed(kind):
    def read(r):
        count = U64[0](r)
        if count > len(r.data):
            raise Refused("C-2")
        return [kind[0](r) for _ in range(count)]
    return (read, lambda v: U64[1](len(v)) + b"".join(kind[1](item) for item in v))


def struct(**fields):
    def read(r):
        return {name: kind[0](r) for name, kind in fields.items()}
    return (read, lambda v: b"".join(kind[1](v[name]) for name, kind in fields.items()))


def pair(a, b):
    return (lambda r: [a[0](r), b[0](r)], lambda v: a[1](v[0]) + b[1](v[1]))


def variant(*cases):
    """Cases are names, or (name, kind of the fields)."""
    cases = [case if isinstance(case, tuple) else (case, None) for case in cases]

    def read(r):
        number = U32[0](r)
        if number >= len(cases):
            raise Refused("C-2")
        name, kind = cases[number]
        return name if kind is None else {name: kind[0](r)}

    def write(v):
        name, value = (v, None) if isinstance(v, str) else next(iter(v.items()))
        place = next(place for place, case in enumerate(cases) if case[0] == name)
        return U32[1](place) + (b"" if cases[place][1] is None else cases[place][1][1](value))
    return (read, write)


def tagged(lengths):
    def read(r):
        wire = read_bytes(r)
        if not wire or lengths.get(wire[0]) != len(wire) - 1:
            raise Refused("K-1, K-2")
        return "%d:%s" % (wire[0], wire[1:].hex())

    def write(v):
        algorithm, digits = v.split(":")
        return BYTES[1]("%02x" % int(algorithm) + digits)
    return (read, write)


KEY, SIGNATURE = tagged({1: 32, 2: 33}), tagged({1: 64, 2: 64})


def read_standing(r):
    byte = r.take(1)[0]
    if byte & 0x0F > 10 or byte & 0xC0:
        raise Refused("S-1")
    return byte


def read_suite(r):
    if U8[0](r) != 1:
        raise Refused("D-4")
    return 1


STANDING, SUITE = (read_standing, U8[1]), (read_suite, U8[1])
PLACE = struct(book=U32, line=U64)
LINE = struct(tag=TAG, commitment=DIGEST)
GROUND = struct(reason=U16, decision=DIGEST)
HEAD = struct(size=U64, digest=DIGEST)
SUBJECT = variant(("certificates", struct(certificate_type=U32)), "cases", "grants", "receipts")
CHANGE = variant(
    ("suspend", struct(until=option(U64))), ("return", struct(hold=U32)), "cancel", "annul", "revoke",
    ("transfer-out", struct(target=U32)), "cancel-transfer", "expire", "dispute", "clear-dispute", "block-key")
TERMS = struct(
    label=TEXT, parties=listed(U32), terms=listed(struct(certificate_type=U32, purposes=listed(U16))),
    divisions=listed(DIVISION), min_grade=variant("A", "B", "C", "D"), **{"from": U32}, until=U32)
PLAN = struct(
    network=DIGEST, height=U64, block=DIGEST, **{"from": U64}, ground=GROUND,
    seats=listed(struct(member=U32, power=U64, consensus=KEY, peer=option(KEY))))
RECOVERY = struct(plan=PLAN, signatures=listed(struct(key=U16, signature=SIGNATURE)))
RECOVERY_TERMS = struct(keys=listed(KEY), threshold=U16, delay_secs=U64)


def read_clause(r):
    data = read_bytes(r)
    return decode(RECOVERY_TERMS, data) if data else None


def write_clause(value):
    return BYTES[1]("" if value is None else RECOVERY_TERMS[1](value).hex())


PURPOSE = variant("consensus", "peer", "admin", "issuing", "enforcement", "application")
STATUS = variant("active", "suspended", "removed")
PARAMETERS = struct(
    version=U32, window=U64, clock_ahead_millis=U64, online_age_secs=U32, trusting_period_secs=U64, block_weight=U64,
    member_weight=U64, weights=struct(transaction=U64, line=U64, act=U64, record=U64), solo_seal_lines=U32,
    terminal_acts_per_day=U32, validators_min=U32,
    voting=struct(numerator=U32, denominator=U32, notice=U64, horizon=U64), protocol=U16, recovery=(read_clause, write_clause))
AUTHORITY = struct(
    version=U32, member=U32, certificate_type=U32, division=DIVISION, **{"from": U32}, until=U32, basis=TEXT,
    suspended=option(U32))
CODE_SET = struct(version=U32, name=TEXT, codes=listed(struct(code=TEXT, name=TEXT)))
NEW_KEY = struct(purpose=PURPOSE, key=KEY, proof=SIGNATURE)
APPLICANT = struct(
    code=CREDIT, name=TEXT, division=DIVISION, superior=option(U32), roles=U16, keys=listed(NEW_KEY), contact=DIGEST)
SCOPE = variant(
    ("lines", struct(book=U32, first=U64, last=U64)), ("book", struct(book=U32)),
    ("type", struct(certificate_type=U32, division=DIVISION)), ("keeper", struct(member=U32)))
STATEMENT = struct(block=option(DIGEST), valid_round=option(U32), signature=SIGNATURE)
DOUBLE = struct(
    member=U32, height=U64, round=U32, kind=variant("proposal", "prevote", "precommit"), first=STATEMENT, second=STATEMENT)
CERTIFICATE_TYPE = struct(
    version=U32, code=TYPE_CODE, name=TEXT, holder=variant("person", "body"), enabled=BOOL, sensitive=BOOL,
    schemas=listed(struct(
        claims=listed(struct(
            label=TEXT, required=BOOL, everyday=BOOL, sensitive=BOOL, max_bytes=U16,
            derived=option(struct(**{"from": U16}, rule=variant(("age-at-issue", struct(years=U8))))))),
        profiles=listed(struct(name=TEXT, claims=listed(U16))), serial_bytes=U8)),
    acts=U32, code_lifetime_secs=U32, offline_age_secs=U32, suspenders=listed(U32), revokers=listed(U32),
    consumers=listed(U32), purposes=listed(U16), grant_purposes=listed(U16),
    assurance=option(variant("real-name", "real-person")))
MEASURE = variant(
    ("admit", struct(application=U32, power=U64)), ("remove", struct(member=U32)),
    ("change-member", struct(member=U32, superior=option(U32), roles=U16, power=U64, status=STATUS)),
    ("replace-keys", struct(member=U32, ends=listed(U16), keys=listed(NEW_KEY))),
    ("set-parameters", struct(parameters=PARAMETERS)),
    ("set-authority", struct(number=option(U32), authority=AUTHORITY)),
    ("enable-type", struct(certificate_type=U32, enabled=BOOL)), ("set-codes", struct(codes=CODE_SET)),
    ("upgrade", struct(protocol=U16)),
    ("register-type", struct(certificate_type=CERTIFICATE_TYPE)), ("change-keeper", struct(book=U32, keeper=U32)))
AT = struct(height=U64)
APPLICATION_STATUS = variant(
    "applied", ("confirmed", struct(by=U32, height=U64)), ("rejected", struct(by=U32, height=U64)),
    ("admitted", struct(member=U32, height=U64)))
PROPOSAL_STATUS = variant(
    "open", ("passed", AT), ("rejected", AT), ("lapsed", AT), ("withdrawn", AT), ("enacted", AT),
    ("failed", struct(height=U64, refusal=U16)))
MODE = variant("verify", "query", "batch")
RESOURCE_TERMS = struct(
    name=TEXT, subject=variant("person", "body", ("certificate", struct(certificate_type=U32))),
    fields=listed(struct(name=TEXT, sensitive=BOOL)), sharing=variant("unconditional", "conditional", "not-shared"),
    conditions=TEXT, basis=TEXT, frequency=TEXT, modes=listed(MODE), level=variant("general", "important"))
RESOURCE_STATUS = variant(
    "proposed", ("published", struct(by=U32, height=U64)), ("refused", struct(by=U32, height=U64)),
    ("replaced", struct(by=U32, height=U64)), ("ended", AT))
ITEM_TERMS = struct(
    code=TEXT, name=TEXT, purpose=U16,
    needs=listed(variant(
        ("certificate", struct(certificate_type=U32, min_grade=variant("A", "B", "C", "D"))),
        ("resource", struct(resource=U32)))))
ITEM_STATUS = variant("current", ("replaced", struct(by=U32, height=U64)), ("ended", AT))
REQUEST_TERMS = struct(
    resource=U32, item=U32, basis=variant("function", "authorisation", "entrustment"), law=TEXT, fields=listed(U16),
    modes=listed(MODE), population=TEXT, frequency=TEXT, measures=TEXT, **{"from": U32}, until=U32)
REQUEST_STATUS = variant(
    "filed", "returned", "agreed", "refused", "provisioned", ("suspended", struct(by=U32)), ("ended", struct(by=U32)))
CLOCK = struct(due=option(U32), done=option(U32))
OBJECTION_STATUS = variant("open", "corrected", "maintained")
OPERATION = variant(
    ("open-book", struct(subject=SUBJECT, division=DIVISION)),
    ("seal", struct(book=U32, lines=listed(LINE))),
    ("change", struct(place=PLACE, change=CHANGE, ground=GROUND)),
    ("supersede", struct(old=PLACE, into=U32, new=LINE, cause=variant("renew", "change", "correct"), ground=GROUND)),
    ("rekey", struct(old=PLACE, new=LINE, ground=GROUND)),
    ("transfer-in", struct(old=PLACE, into=U32, new=LINE, ground=GROUND)),
    ("consume", struct(place=PLACE, ground=GROUND)),
    ("propose-agreement", struct(terms=TERMS)),
    ("sign-agreement", struct(agreement=U32, digest=DIGEST)),
    ("suspend-agreement", struct(agreement=U32, ground=GROUND)),
    ("resume-agreement", struct(agreement=U32, ground=GROUND)),
    ("revoke-key", struct(member=U32, key=U16, **{"from": U64}, ground=GROUND)),
    ("suspend-authority", struct(authority=U32, ground=GROUND)),
    ("resume-authority", struct(authority=U32, ground=GROUND)),
    ("file-application", struct(applicant=APPLICANT)),
    ("review-application", struct(application=U32, confirm=BOOL, ground=GROUND)),
    ("propose", struct(measure=MEASURE, effective=U64, ground=GROUND)),
    ("vote", struct(proposal=U32, digest=DIGEST, approve=BOOL)), ("withdraw", struct(proposal=U32)),
    ("rotate-key", struct(key=NEW_KEY, **{"from": U64}, ends=option(pair(U16, U64)))),
    ("order", struct(scope=SCOPE, ground=GROUND)), ("lift-order", struct(order=U32, ground=GROUND)),
    ("confirm", struct(book=U32, first=U64, last=U64, ground=GROUND)), ("accuse", struct(proof=DOUBLE)),
    ("recover", struct(handover=RECOVERY)),
    ("step", struct(place=PLACE, ground=GROUND, closes=BOOL)),
    ("dated-seal", struct(book=U32, acted=U32, lines=listed(LINE))),
    ("propose-resource", struct(terms=RESOURCE_TERMS, replaces=option(U32))),
    ("decide-resource", struct(resource=U32, decision=variant("publish", "refuse", "end"), ground=GROUND)),
    ("put-item", struct(terms=ITEM_TERMS, replaces=option(U32))), ("end-item", struct(item=U32, ground=GROUND)),
    ("file-request", struct(terms=REQUEST_TERMS, amends=option(U32))),
    ("decide-request", struct(
        request=U32,
        decision=variant(
            "return", "agree", ("refuse", struct(law=TEXT)), ("ask-time", struct(days=U32)),
            ("give-time", struct(approve=BOOL)), "provision", "suspend", "resume", "end"),
        ground=GROUND)),
    ("withdraw-grant", struct(place=PLACE, content=DIGEST, secret=DIGEST)),
    ("file-objection", struct(place=PLACE, ground=GROUND)),
    ("answer-objection", struct(objection=U32, place=PLACE, answer=variant("correct", "maintain"), ground=GROUND)))
EFFECT = variant(
    ("book-opened", struct(book=U32)), ("sealed", struct(book=U32, seal=U64, first=U64, count=U32)),
    ("acted", struct(act=U64, standing=STANDING)), ("replaced", struct(act=U64, book=U32, line=U64)),
    ("agreement", struct(agreement=U32, in_force=BOOL)),
    ("key-revoked", struct(member=U32, key=U16, **{"from": U64}, lines=U64)),
    ("authority", struct(authority=U32, suspended=BOOL)),
    ("application", struct(application=U32, status=APPLICATION_STATUS)),
    ("proposal", struct(proposal=U32, status=PROPOSAL_STATUS)),
    ("key-added", struct(member=U32, key=U16, **{"from": U64})), ("order", struct(order=U32, lines=U64, lifted=BOOL)),
    ("confirmed", struct(book=U32, lines=U64)), ("offence", struct(offence=U32)),
    ("recovered", struct(validators=U32)),
    ("dated-sealed", struct(book=U32, seal=U64, first=U64, count=U32, due=option(U32))),
    ("resource", struct(resource=U32, status=RESOURCE_STATUS)), ("item", struct(item=U32, status=ITEM_STATUS)),
    ("request", struct(request=U32, status=REQUEST_STATUS, due=option(U32))),
    ("objection", struct(objection=U32, act=option(U64), status=OBJECTION_STATUS, due=option(U32))))
OUTCOME = struct(
    transaction=DIGEST, decision=variant(("done", EFFECT), ("refused", struct(refusal=U16, detail=U64))))
HEADER = struct(
    version=U16, suite=SUITE, network=DIGEST, height=U64, time=U64, parent=DIGEST, proposer=U32, transactions=DIGEST,
    outcomes=DIGEST, parent_certificate=DIGEST, state_root=DIGEST, next_validators=DIGEST)
CERTIFICATE = struct(
    height=U64, round=U32, block=DIGEST, signatures=listed(struct(member=U32, signature=SIGNATURE)))
VALIDATOR = struct(member=U32, key=KEY, power=U64)
CHECKPOINT = struct(
    network=DIGEST, suite=SUITE, height=U64, time=U64, block=option(DIGEST), validators=listed(VALIDATOR),
    trusting_period_secs=U64)
SIGNED_CHECKPOINT = struct(checkpoint=CHECKPOINT, member=U32, key=U16, signature=SIGNATURE)
BODY = dict(network=DIGEST, member=U32, valid_until=U64, salt=TAG, operation=OPERATION)
ACT = struct(
    line=U64,
    kind=variant("suspend", "return", "cancel", "annul", "revoke", "transfer-out", "cancel-transfer", "expire", "dispute",
                 "clear-dispute", "block-key", "renew", "change", "correct", "rekey", "transfer-in", "consume", "step",
                 "withdraw"),
    **{"from": STANDING}, to=STANDING, reason=U16, decision=DIGEST, height=U64, by=U32, keys=listed(U16),
    hold=option(U32), until=option(U64), target=option(U32), successor=option(PLACE), previous=option(U64))
KINDS = {
    "parameters": PARAMETERS,
    "member": struct(
        version=U32, code=CREDIT, name=TEXT, division=DIVISION, superior=option(U32), roles=U16, power=U64,
        status=STATUS,
        keys=listed(struct(
            purpose=PURPOSE, key=KEY, **{"from": U64}, until=option(U64))),
        authorities=listed(U32), agreements=listed(U32), terminal_acts=pair(U32, U32)),
    "certificate-type": CERTIFICATE_TYPE,
    "authority": AUTHORITY,
    "agreement": struct(
        version=U32, terms=TERMS, parties=listed(struct(member=U32, signed=option(U64))),
        status=variant("proposed", "in-force", ("suspended", struct(by=U32, since=U64)))),
    "code-set": CODE_SET,
    "book": struct(
        version=U32, subject=SUBJECT, division=DIVISION, issuer=CREDIT, keeper=U32, opened=U64, changed=U64,
        lines=U64, pages=HEAD, seals=HEAD, acts=HEAD, heads=HEAD,
        suspended=listed(struct(cause=variant(("key", struct(key=U16)), ("order", struct(order=U32))), first=U64, last=U64)),
        former=listed(struct(member=U32, until=U64, lines=U64))),
    "application": struct(version=U32, applicant=APPLICANT, filed_by=U32, filed=U64, status=APPLICATION_STATUS),
    "proposal": struct(
        version=U32, proposer=U32, measure=MEASURE, ground=GROUND, effective=U64, opened=U64, closes=U64,
        ballots=listed(struct(member=U32, approve=BOOL, height=U64)), status=PROPOSAL_STATUS),
    "order": struct(version=U32, scope=SCOPE, by=U32, ground=GROUND, height=U64, lines=U64, lifted=option(U64)),
    "offence": struct(version=U32, proof=DOUBLE, reported_by=U32, reported=U64),
    "resource": struct(
        version=U32, provider=U32, terms=RESOURCE_TERMS, replaces=option(U32), proposed=U64, status=RESOURCE_STATUS),
    "item": struct(version=U32, department=U32, terms=ITEM_TERMS, replaces=option(U32), put=U64, status=ITEM_STATUS),
    "request": struct(
        version=U32, requester=U32, terms=REQUEST_TERMS, amends=option(U32), filed=U64, filed_on=U32, answer=CLOCK,
        extension=option(variant(
            ("asked", struct(days=U32)), ("given", struct(days=U32, by=U32)), ("denied", struct(by=U32)))),
        provision=CLOCK, ground=option(GROUND), refused_by=TEXT, status=REQUEST_STATUS),
    "objection": struct(
        version=U32, place=PLACE, filer=U32, ground=GROUND, filed=U64, filed_on=U32, answer=CLOCK,
        answered=option(GROUND), status=OBJECTION_STATUS),
    "page": struct(
        lines=U16, root=DIGEST,
        exceptions=listed(struct(
            place=U16, standing=STANDING, holds=listed(struct(by=U32, until=option(U64)))))),
    "heads": struct(heads=listed(pair(U16, U64))),
    "seal": struct(first=U64, count=U32, height=U64, keys=listed(U16)),
    "act": ACT, "header": HEADER, "commit-certificate": CERTIFICATE, "validator": VALIDATOR, "operation": OPERATION,
    "outcome": OUTCOME,
    "transaction": struct(body=struct(**BODY), signatures=listed(struct(key=U16, signature=SIGNATURE))),
    "block": struct(header=HEADER, parent_certificate=option(CERTIFICATE), transactions=listed(BYTES)),
}
SHELVES = ["parameters", "members", "types", "authorities", "agreements", "books", "codes", "applications", "proposals",
           "orders", "offences", "resources", "items", "requests", "objections"]
PROOF_PLACE = {0: (U32, U32), 1: (U32, U64), 2: (U32, U64), 3: (U32, U64), 4: (U32, U64), 5: (U32, U64)}


def read_place(r):
    kind = U32[0](r)
    if kind not in PROOF_PLACE or kind == 0 and int.from_bytes(r.data[r.at:r.at + 4], "little") >= len(SHELVES):
        raise Refused("P-1")
    return (kind, PROOF_PLACE[kind][0][0](r), PROOF_PLACE[kind][1][0](r))


WHERE = (read_place, lambda v: U32[1](v[0]) + PROOF_PLACE[v[0]][0][1](v[1]) + PROOF_PLACE[v[0]][1][1](v[2]))
STATE_PROOF = struct(
    header=HEADER, certificate=CERTIFICATE, shelves=listed(struct(size=U64, root=DIGEST)),
    roots=listed(pair(pair(U32, variant("pages", "seals", "acts", "heads")), DIGEST)),
    entries=listed(struct(place=WHERE, bytes=BYTES, path=listed(DIGEST))))
EXPORTED = struct(
    height=U64, certificate=CERTIFICATE, next=option(listed(VALIDATOR)), terms=option(STATE_PROOF), block=BYTES)
OUTCOME_PROOF = struct(
    header=HEADER, certificate=CERTIFICATE, outcome=OUTCOME, place=U32, size=U32, path=listed(DIGEST))


def rising(items):
    return all(a < b for a, b in zip(items, items[1:]))


def decode(kind, data, name=None):
    reader = Reader(data)
    value = kind[0](reader)
    if reader.at != len(data):
        raise Refused("C-3")
    if kind[1](value) != data:
        raise Refused("C-4")
    if name == "page":
        for odd in value["exceptions"]:
            if odd["place"] >= value["lines"] or odd["standing"] == 0 and not odd["holds"]:
                raise Refused("S-2")
            if not rising([hold["by"] for hold in odd["holds"]]):
                raise Refused("S-2")
        if not rising([odd["place"] for odd in value["exceptions"]]):
            raise Refused("S-2")
    if name == "heads" and not rising([head[0] for head in value["heads"]]):
        raise Refused("S-6")
    if name == "transaction":
        keys = [signature["key"] for signature in value["signatures"]]
        if "recover" in value["body"]["operation"]:
            if keys:
                raise Refused("T-7")
        elif not 1 <= len(keys) <= 4 or not rising(keys):
            raise Refused("T-4")
    return value


# --- D, L: digests and lists -------------------------------------------------------------------

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def message(network, kind, *parts):
    return b"fengni/1/" + kind.encode() + b"\0" + network + b"".join(parts)


def digest(network, kind, *parts):
    return sha(message(network, kind, *parts))


def leaf(entry):
    return sha(b"\0", entry)


def node(left, right):
    return sha(b"\1", left, right)


def split(size):
    k = 1
    while 2 * k < size:
        k *= 2
    return k


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha()
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def list_digest(network, kind, size, root):
    return digest(network, "list", bytes([kind]), size.to_bytes(8, "big"), root)


def fold(d, place, size, path):
    if place >= size:
        raise Refused("L-3")
    last = size - 1
    for sibling in path:
        if last == 0:
            raise Refused("L-4")
        if place & 1 or place == last:
            d = node(sibling, d)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            d = node(d, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise Refused("L-4")
    return d


def fold_subset(size, disclosed, siblings):
    numbers, siblings = [n for n, _ in disclosed], list(siblings)
    if not numbers or not rising(numbers) or numbers[-1] >= size:
        raise Refused("L-5")

    def part(start, size, disclosed):
        if not disclosed:
            if not siblings:
                raise Refused("L-5")
            return siblings.pop(0)
        if size == 1:
            return disclosed[0][1]
        k = split(size)
        left = part(start, k, [d for d in disclosed if d[0] < start + k])
        return node(left, part(start + k, size - k, [d for d in disclosed if d[0] >= start + k]))
    d = part(0, size, disclosed)
    if siblings:
        raise Refused("L-5")
    return d


# --- K, F, P -----------------------------------------------------------------------------------

def verifies(key, data, signature):
    """None where no library is at hand. The edges of K-3 and K-4 are beyond ordinary libraries."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
    except ImportError:
        return None
    algorithm, raw = signature.split(":")
    if key.split(":")[0] != algorithm:
        return False
    point, raw = bytes.fromhex(key.split(":")[1]), bytes.fromhex(raw)
    try:
        if algorithm == "1":
            ed25519.Ed25519PublicKey.from_public_bytes(point).verify(raw, data)
        else:
            n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
            r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
            if not (0 < r < n and 0 < s <= n // 2):
                return False
            curve = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            curve.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False


def vote(network, step, height, round, block, member):
    there, block = (b"\0", bytes(32)) if block is None else (b"\1", bytes.fromhex(block))
    return message(network, "vote", bytes([step]), height.to_bytes(8, "big"), round.to_bytes(4, "big"), there, block,
                   member.to_bytes(4, "big"))


def check_final(network, validators, certificate, height, block):
    if (certificate["height"], certificate["block"]) != (height, block):
        raise Refused("F-5")
    signers = [signature["member"] for signature in certificate["signatures"]]
    known = {validator["member"]: validator for validator in validators}
    if not rising(signers) or any(signer not in known for signer in signers):
        raise Refused("F-5")
    for signature in certificate["signatures"]:
        data = vote(network, 2, height, certificate["round"], block, signature["member"])
        if verifies(known[signature["member"]]["key"], data, signature["signature"]) is False:
            raise Refused("F-5")
    power = sum(validator["power"] for validator in validators)
    if sum(known[signer]["power"] for signer in signers) < power * 2 // 3 + 1:
        raise Refused("F-6")


def check_word(network, keys, signed, height):
    checkpoint, number = signed["checkpoint"], signed["key"]
    height = max(height, checkpoint["height"])
    if checkpoint["network"] != network.hex() or checkpoint["suite"] != 1 or number >= len(keys):
        raise Refused("F-8")
    key = keys[number]
    if key["purpose"] != "peer" or height < key["from"] or (key["until"] is not None and height > key["until"]):
        raise Refused("F-8")
    data = message(network, "checkpoint", signed["member"].to_bytes(4, "big"), number.to_bytes(2, "big"),
                   CHECKPOINT[1](checkpoint))
    if verifies(key["key"], data, signed["signature"]) is False:
        raise Refused("F-8")


def check_header(network, validators, header, certificate):
    if header["network"] != network.hex():
        raise Refused("P-2")
    block = digest(network, "header", HEADER[1](header)).hex()
    try:
        check_final(network, validators, certificate, header["height"], block)
    except Refused:
        raise Refused("P-3")


def check_proof(network, validators, data):
    try:
        proof = decode(STATE_PROOF, data)
    except Refused:
        raise Refused("P-1")
    keys = [(key[0], ["pages", "seals", "acts", "heads"].index(key[1])) for key, _ in proof["roots"]]
    if not rising(keys):
        raise Refused("P-1")
    roots = dict(zip(keys, (bytes.fromhex(root) for _, root in proof["roots"])))
    check_header(network, validators, proof["header"], proof["certificate"])
    shelves = [(shelf["size"], bytes.fromhex(shelf["root"])) for shelf in proof["shelves"]]
    digests = [list_digest(network, 2, size, root) for size, root in shelves]
    if len(shelves) != len(SHELVES) or list_digest(network, 1, len(SHELVES), root([leaf(d) for d in digests])).hex() != proof["header"]["state_root"]:
        raise Refused("P-4")
    proven, used, before = {}, set(), None
    for entry in proof["entries"]:
        place, data = entry["place"], bytes.fromhex(entry["bytes"])
        if before is not None and place <= before:
            raise Refused("P-5")
        kind, first, second = before = place
        if kind == 0:
            at, (size, wanted) = second, shelves[first]
        elif kind < 5:
            if (0, 5, first) not in proven or (first, kind_of(kind)) not in roots:
                raise Refused("P-5")
            book = decode(KINDS["book"], proven[0, 5, first])
            head = book[["pages", "seals", "acts", "heads"][kind_of(kind)]]
            at, size, wanted = second, head["size"], roots[first, kind_of(kind)]
            used.add((first, kind_of(kind)))
            if list_digest(network, 3 + kind_of(kind), size, wanted).hex() != head["digest"]:
                raise Refused("P-5")
        else:
            if (1, first, second // 1024) not in proven:
                raise Refused("P-5")
            page = decode(KINDS["page"], proven[1, first, second // 1024], "page")
            at, size, wanted = second % 1024, page["lines"], bytes.fromhex(page["root"])
        try:
            if fold(leaf(data), at, size, [bytes.fromhex(s) for s in entry["path"]]) != wanted:
                raise Refused("P-5")
        except Refused:
            raise Refused("P-5")
        proven[place] = data
    if used != set(roots):
        raise Refused("P-5")
    return proven


def kind_of(place_kind):
    """Places 1 page, 2 seal, 3 act, 4 heads; lists 0 pages, 1 seals, 2 acts, 3 heads."""
    return place_kind - 1


def place_text(place):
    kind, first, second = place
    if kind == 0:
        return "%s/%d" % (SHELVES[first], second)
    return "%s/%d/%d" % (["page", "seal", "act", "heads", "line"][kind - 1], first, second)


def check_outcome(network, validators, data):
    proof = decode(OUTCOME_PROOF, data)
    check_header(network, validators, proof["header"], proof["certificate"])
    outcome = OUTCOME[1](proof["outcome"])
    d = fold(leaf(outcome), proof["place"], proof["size"], [bytes.fromhex(s) for s in proof["path"]])
    if list_digest(network, 8, proof["size"], d).hex() != proof["header"]["outcomes"]:
        raise Refused("P-7")
    return outcome


# --- the files ---------------------------------------------------------------------------------

COUNTS = {}


def same(what, found, wanted):
    COUNTS[what] = COUNTS.get(what, 0) + 1
    if found != wanted:
        sys.exit("%s differs:\n found  %s\n wanted %s" % (what, found, wanted))


def refused(what, why, call, *arguments):
    COUNTS[what] = COUNTS.get(what, 0) + 1
    try:
        call(*arguments)
    except (Refused, ValueError):
        return
    sys.exit("%s: accepted though %s" % (what, why))


def encoding():
    file = load("encoding")
    for case in file["values"]:
        kind, data = KINDS[case["type"]], bytes.fromhex(case["hex"])
        same("encoding", decode(kind, data, case["type"]), case["value"])
        same("encoding", kind[1](case["value"]), data)
    for case in file["refused"]:
        refused("encoding", case["why"], decode, KINDS[case["type"]], bytes.fromhex(case["hex"]), case["type"])


def digests():
    file = load("digests")
    network = bytes.fromhex(file["network"])
    for case in file["domain"]:
        parts = [bytes.fromhex(part) for part in case["parts"]]
        same("digests", message(network, case["kind"], *parts).hex(), case["message"])
        same("digests", digest(network, case["kind"], *parts).hex(), case["digest"])
    founding = file["founding"]
    same("digests", digest(bytes(32), "genesis", bytes.fromhex(founding["parts"][0])).hex(), founding["digest"])
    for case in file["leaves"]:
        same("digests", leaf(bytes.fromhex(case["entry"])).hex(), case["digest"])
    for case in file["nodes"]:
        same("digests", node(bytes.fromhex(case["left"]), bytes.fromhex(case["right"])).hex(), case["digest"])
    same("digests", sha().hex(), file["empty"])
    for case in file["tags"]:
        same("digests", digest(network, "tag", case["identifier"].encode())[:16].hex(), case["tag"])
    for case in file["pages"]:
        lines = [n.to_bytes(8, "big") + b"\xab" * 8 + n.to_bytes(8, "big") + b"\xcd" * 24 for n in range(case["lines"])]
        same("digests", root([leaf(line) for line in lines]).hex(), case["root"])
    for name, kind in ("transactions", 7), ("outcomes", 8):
        leaves = [leaf(bytes.fromhex(entry)) for entry in file[name]["entries"]]
        same("digests", list_digest(network, kind, len(leaves), root(leaves)).hex(), file[name]["digest"])
    for case in file["days"]:
        same("digests", (case["millis"] + 28_800_000) // 86_400_000, case["day"])


def lists():
    file = load("lists")
    network = bytes.fromhex(file["network"])
    leaf_of = lambda n: leaf(b"entry %d" % n)
    hashes = lambda texts: [bytes.fromhex(text) for text in texts]
    for case in file["lists"]:
        top = root([leaf_of(n) for n in range(case["size"])])
        same("lists", top.hex(), case["root"])
        same("lists", list_digest(network, case["kind"], case["size"], top).hex(), case["digest"])
    for case in file["paths"]:
        same("lists", fold(leaf_of(case["number"]), case["number"], case["size"], hashes(case["path"])).hex(), case["root"])
    for case in file["refused"]:
        def call():
            d = fold(leaf(bytes.fromhex(case["entry"])), case["number"], case["size"], hashes(case["path"]))
            if d.hex() != case["root"]:
                raise Refused("L-4")
        refused("lists", case["why"], call)
    for case in file["subsets"]:
        disclosed = [(n, leaf_of(n)) for n in case["disclosed"]]
        same("lists", fold_subset(case["size"], disclosed, hashes(case["siblings"])).hex(), case["root"])


def on_edge(case):
    """Cases where this reader's library may answer otherwise than K-4 and K-5 do."""
    return any(word in case["what"] for word in ("order", "cofactor", "R with", "R the"))


def keys():
    file = load("keys")
    for case in file["keys"]:
        wire = case["wire"]
        same("keys", "%d:%s" % (int(wire[:2], 16), wire[2:]), case["text"])
    for case in file["signatures"]:
        text = lambda wire: "%d:%s" % (int(wire[:2], 16), wire[2:])
        found = verifies(text(case["key"]), bytes.fromhex(case["message"]), text(case["signature"]))
        if found is not None and not on_edge(case):
            same("keys", found, case["valid"])


def finality():
    file = load("finality")
    network, known = bytes.fromhex(file["network"]), file["set"]
    validators = known["validators"]
    same("finality", listed(VALIDATOR)[1](validators).hex(), known["hex"])
    leaves = [leaf(VALIDATOR[1](validator)) for validator in validators]
    same("finality", list_digest(network, 10, len(leaves), root(leaves)).hex(), known["digest"])
    for case in file["votes"]:
        data = vote(network, case["step"], case["height"], case["round"], case["block"], case["member"])
        same("finality", data.hex(), case["message"])
    for case in file["proposals"]:
        there, valid = (0, 0) if case["valid_round"] is None else (1, case["valid_round"])
        data = message(network, "proposal", case["height"].to_bytes(8, "big"), case["round"].to_bytes(4, "big"),
                       bytes([there]), valid.to_bytes(4, "big"), bytes.fromhex(case["block"]), case["member"].to_bytes(4, "big"))
        same("finality", data.hex(), case["message"])
    for case in file["certificates"]:
        data = bytes.fromhex(case["hex"])
        same("finality", digest(network, "commit-certificate", data).hex(), case["digest"])
        arguments = network, validators, decode(CERTIFICATE, data), 7, "b1" * 32
        if case["error"] is None:
            same("finality", check_final(*arguments), None)
        elif case["error"] != "BadSignature" or verifies(validators[0]["key"], b"", "1:" + "00" * 64) is not None:
            refused("finality", case["what"], check_final, *arguments)


    for case in file["checkpoints"]:
        data = bytes.fromhex(case["hex"])
        same("finality", decode(SIGNED_CHECKPOINT, data), case["signed"])
        if case["error"] is None:
            same("finality", check_word(network, file["keys"], case["signed"], 7), None)
        elif case["error"] != "Signature" or verifies(validators[0]["key"], b"", "1:" + "00" * 64) is not None:
            refused("finality", case["what"], check_word, network, file["keys"], case["signed"], 7)


def check_recovery(network, terms, last, handover):
    """Rule F-9: raises unless the handover holds after the last block."""
    plan = handover["plan"]
    if bytes.fromhex(plan["network"]) != network or (plan["height"], plan["block"]) != (last["height"], last["block"]):
        raise Refused("F-9: another network or block")
    if plan["from"] < last["time"] + 1000 * terms["delay_secs"]:
        raise Refused("F-9: delay")
    members, powers = ([seat[field] for seat in plan["seats"]] for field in ("member", "power"))
    if not 1 <= len(members) <= 256 or not rising(members) or min(powers) < 1 or sum(powers) >= 2 ** 62:
        raise Refused("F-1")
    if not rising([signed["key"] for signed in handover["signatures"]]):
        raise Refused("F-9: order")
    asked = message(network, "recovery", PLAN[1](plan))
    for signed in handover["signatures"]:
        if signed["key"] >= len(terms["keys"]):
            raise Refused("F-9: no such key")
        if verifies(terms["keys"][signed["key"]], asked, signed["signature"]) is False:
            raise Refused("F-9: signature")
    if len(handover["signatures"]) < terms["threshold"]:
        raise Refused("F-9: threshold")


def recovery():
    file = load("recovery")
    network, terms, last = bytes.fromhex(file["network"]), file["terms"], file["last"]
    for case in file["handovers"]:
        handover = decode(RECOVERY, bytes.fromhex(case["hex"]))
        same("recovery", handover, case["handover"])
        if case["error"] is None:
            same("recovery", check_recovery(network, terms, last, handover), None)
        elif case["error"] != "BadSignature" or verifies(terms["keys"][0], b"", "1:" + "00" * 64) is not None:
            refused("recovery", case["what"], check_recovery, network, terms, last, handover)


def transactions():
    file = load("transactions")
    network = bytes.fromhex(file["network"])
    for case in file["accepted"]:
        value = decode(KINDS["transaction"], bytes.fromhex(case["hex"]), "transaction")
        same("transactions", value, case["transaction"])
        same("transactions", struct(**BODY)[1](value["body"]).hex(), case["body"])
        same("transactions", digest(network, "transaction", bytes.fromhex(case["body"])).hex(), case["id"])
        same("transactions", message(network, "sign-transaction", bytes.fromhex(case["id"])).hex(), case["message"])
        for signature in value["signatures"]:
            found = verifies(file["keys"][signature["key"]], bytes.fromhex(case["message"]), signature["signature"])
            same("transactions", found is not False, True)


def proofs():
    file = load("proofs")
    network = bytes.fromhex(file["network"])
    validators = decode(listed(VALIDATOR), bytes.fromhex(file["validators"]))
    header = bytes.fromhex(file["header"]["hex"])
    same("proofs", len(header), 247)
    same("proofs", decode(HEADER, header), file["header"]["value"])
    same("proofs", digest(network, "header", header).hex(), file["header"]["id"])
    for case in file["accepted"]:
        proven = check_proof(network, validators, bytes.fromhex(case["hex"]))
        found = [{"place": place_text(place), "bytes": data.hex()} for place, data in proven.items()]
        same("proofs", found, case["entries"])
    for case in file["refused"]:
        refused("proofs", case["why"], check_proof, network, validators, bytes.fromhex(case["hex"]))
    for case in file["outcomes"]:
        same("proofs", check_outcome(network, validators, bytes.fromhex(case["hex"])).hex(), case["bytes"])
    for case in file["outcomes_refused"]:
        refused("proofs", case["why"], check_outcome, network, validators, bytes.fromhex(case["hex"]))


# --- X, Y: certificates, codes, challenges -----------------------------------------------------

BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def to_base45(data):
    text = ""
    for at in range(0, len(data), 2):
        value = int.from_bytes(data[at:at + 2], "big")
        for _ in range(3 if at + 1 < len(data) else 2):
            text, value = text + BASE45[value % 45], value // 45
    return text


def from_text(text, prefix):
    """Rule Y-1: the bytes of the one text they have."""
    if not text.startswith(prefix) or any(letter not in BASE45 for letter in text[4:]):
        raise Refused("Y-1")
    body, data = text[len(prefix):], b""
    for at in range(0, len(body), 3):
        group = body[at:at + 3]
        value = sum(BASE45.index(letter) * 45 ** place for place, letter in enumerate(group))
        width = len(group) - 1
        if width == 0 or value >= 256 ** width:
            raise Refused("Y-1")
        data += value.to_bytes(width, "big")
    if to_base45(data) != body:
        raise Refused("Y-1")
    return data


def cbor_head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    width, kind = next((w, k) for w, k in ((1, 24), (2, 25), (4, 26), (8, 27)) if number < 256 ** w)
    return bytes([major << 5 | kind]) + number.to_bytes(width, "big")


def to_cbor(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return cbor_head(0, value)
    if isinstance(value, bytes):
        return cbor_head(2, len(value)) + value
    if isinstance(value, str):
        return cbor_head(3, len(value.encode())) + value.encode()
    return cbor_head(4, len(value)) + b"".join(map(to_cbor, value))


def from_cbor(data):
    """Rules X-1 and X-2."""
    def item(at):
        if at >= len(data):
            raise Refused("X-2")
        major, info, at = data[at] >> 5, data[at] & 31, at + 1
        if (major, info) == (7, 22):
            return None, at
        if info > 27 or major not in (0, 2, 3, 4):
            raise Refused("X-1")
        width = 0 if info < 24 else 1 << info - 24
        number, at = info if width == 0 else int.from_bytes(data[at:at + width], "big"), at + width
        if major == 0:
            return number, at
        if major == 4:
            values = []
            for _ in range(min(number, 4096)):
                value, at = item(at)
                values.append(value)
            return values, at
        part = data[at:at + number]
        if len(part) != number:
            raise Refused("X-2")
        return (part if major == 2 else part.decode()), at + number
    value, end = item(0)
    if end != len(data) or to_cbor(value) != data:
        raise Refused("X-2")
    return value


def signed_by(key, data, wire):
    return verifies(key, data, "%d:%s" % (wire[0], wire[1:].hex())) is not False


def challenge(text):
    """Rule Y-10."""
    fields = from_cbor(from_text(text, "FC1:"))
    if len(fields) != 8 or fields[0] != 1 or not 1 <= fields[5] <= 300 or len(fields[6]) != 16 or len(fields[7]) != 65:
        raise Refused("Y-10")
    return fields


def challenges():
    file = load("challenges")
    network = bytes.fromhex(file["network"])
    for case in file["accepted"]:
        _, verifier, key, purpose, time, lifetime, nonce, signature = challenge(case["text"])
        names = ("verifier", "key_number", "purpose", "issued_secs", "lifetime_secs")
        same("challenges", (verifier, key, purpose, time, lifetime), tuple(case[name] for name in names))
        widths = ((verifier, 4), (key, 2), (purpose, 2), (time, 8), (lifetime, 4))
        asked = message(network, "challenge", *(n.to_bytes(width, "big") for n, width in widths), nonce)
        same("challenges", (asked.hex(), sha(asked).hex()), (case["message"], case["hash"]))
        same("challenges", signed_by(case["key"], asked, signature), True)
    for case in file["refused"]:
        refused("challenges", case["why"], challenge, case["text"])


def assertion(fields):
    """Rule Y-14, as within a code; gives what the service signs for a holder's key, and its signature."""
    if not isinstance(fields, list) or len(fields) != 7:
        raise Refused("Y-14")
    service, key, level, time, valid, token, signature = fields
    if level not in (1, 2) or not 1 <= valid <= 86400 or len(token) != 16 or len(signature) != 65:
        raise Refused("Y-14")
    widths = ((service, 4), (key, 2), (level, 1), (time, 8), (valid, 4))
    return b"".join(n.to_bytes(width, "big") for n, width in widths) + token, signature


def dynamic_code(text):
    """Rules Y-2, Y-3, Y-6 and Y-16, without the header's own."""
    fields = from_cbor(from_text(text, "FN1:"))
    if len(fields) not in (9, 10) or fields[:2] != [1, 0]:
        raise Refused("Y-2")
    shown, time, lifetime, nonce, purpose, asked = fields[2:8]
    claims, size, lines, path = shown[12], shown[11], shown[14], shown[15]
    indexes = [claim[0] for claim in claims]
    if not indexes or not rising(indexes) or indexes[-1] >= size or not 1 <= lifetime <= 300 or asked == bytes(32):
        raise Refused("Y-3, Y-6")
    if lines > 1024 or lines == 0 and path or shown[8] is not None and shown[8] < shown[7]:
        raise Refused("X-6, X-8")
    if len(fields) == 10:
        assertion(fields[8])
    return fields


def codes():
    file = load("codes")
    network = bytes.fromhex(file["network"])
    for case in file["accepted"] + file["assured"]:
        _, kind, shown, time, lifetime, nonce, purpose, asked, *vouched, signature = dynamic_code(case["text"])
        widths = ((time, 8), (lifetime, 4))
        signed = message(
            network, "show", bytes([kind]), bytes.fromhex(case["commitment"]), digest(network, "shown", to_cbor(shown)),
            *(n.to_bytes(width, "big") for n, width in widths), nonce, purpose.to_bytes(2, "big"), asked or bytes(32),
            *map(to_cbor, vouched))
        same("codes", (signed.hex(), sha(signed).hex()), (case["message"], case["signed_hash"]))
        holder = shown[10]
        same("codes", signed_by("%d:%s" % (holder[0], holder[1:].hex()), signed, signature), True)
        same("codes", len(vouched), 1 if case in file["assured"] else 0)
    for case in file["assured"]:
        version, holder, fields = from_cbor(from_text(case["assertion"], "FA1:"))
        same("assertions", (version, "%d:%s" % (holder[0], holder[1:].hex())), (1, case["holder_key"]))
        same("assertions", (dynamic_code(case["text"])[8], dynamic_code(case["text"])[2][10]), (fields, holder))
        names = ("service", "key_number", "level", "time_secs", "valid_secs")
        same("assertions", fields[:5] + [fields[5].hex()], [case[name] for name in names] + [case["token"]])
        said, signature = assertion(fields)
        said = message(network, "assurance", said, holder)
        same("assertions", said.hex(), case["statement"])
        same("assertions", signed_by(case["service_key"], said, signature), True)
    for case in file["refused"]:
        refused("codes", case["why"], dynamic_code, case["text"])


def static_code(text):
    """Rule Y-9. Check characters of the parts are those of identifiers.md."""
    fields = from_cbor(from_text(text, "FN1:"))
    if len(fields) != 11 or fields[:2] != [1, 1] or len(fields[8]) != 32:
        raise Refused("Y-9")
    return fields


def static_codes():
    file = load("codes")
    network = bytes.fromhex(file["network"])
    for case in file["static"]:
        _, _, kind, issuer, serial, version, book, line, commitment, lines, path = static_code(case["text"])
        same("static codes", "1.2.156.3005.2.%s.%s.%s.%03d." % (kind, issuer, serial, version), case["identifier"][:-1])
        same("static codes", {"book": book, "line": line}, case["place"])
        tag = digest(network, "tag", case["identifier"].encode())[:16]
        same("static codes", (tag + commitment).hex(), case["line"])
        same("static codes", len(path) % 32 == 0 and lines <= 1024, True)
    for case in file["static_refused"]:
        if "check character" not in case["why"]:
            refused("static codes", case["why"], static_code, case["text"])


def possession():
    file = load("certificates")
    network = bytes.fromhex(file["network"])
    for case in file["possession"]:
        number, digits = case["holder_key"].split(":")
        asked = message(network, "possession", case["issuer"].encode(), bytes([int(number)]) + bytes.fromhex(digits))
        same("possession", asked.hex(), case["message"])
        same("possession", verifies(case["holder_key"], asked, case["holder_proof"]) is not False, True)


def read_stream(data, wanted):
    """Rules J-1 to J-5."""
    reader, taken = Reader(data), []

    def take(width, rule):
        if len(data) - reader.at < width:
            raise Refused(rule)
        return reader.take(width)

    if take(14, "J-1") != b"fengni-blocks\n" or take(3, "J-2") != b"\1\0\1":
        raise Refused("J-1")
    network, first = take(32, "J-2"), int.from_bytes(take(8, "J-2"), "little")
    if network != wanted or first == 0:
        raise Refused("J-1, J-4")
    while take(1, "J-2") == b"\1":
        length = int.from_bytes(take(4, "J-2"), "little")
        if length > 13 << 20:
            raise Refused("J-3")
        known, entry = take(32, "J-2"), take(length, "J-2")
        if digest(network, "exported-block", entry) != known:
            raise Refused("J-3")
        taken.append(decode(EXPORTED, entry))
        if taken[-1]["height"] != first + len(taken) - 1:
            raise Refused("J-4")
    if data[reader.at - 1] != 0:
        raise Refused("J-2")
    end = [int.from_bytes(take(8, "J-2"), "little") for _ in range(2)]
    if end != [len(taken), first + len(taken) - 1] or reader.at != len(data):
        raise Refused("J-5")
    return first, taken


def exports():
    file = load("exports")
    for case in file["accepted"]:
        first, taken = read_stream(bytes.fromhex(case["stream"]), bytes.fromhex(case["network"]))
        said = [{"height": it["height"], "block": it["block"], "next": it["next"] is not None} for it in taken]
        same("exports", (first, said), (case["first"], case["blocks"]))
    network = bytes.fromhex(file["accepted"][0]["network"])
    for case in file["refused"]:
        refused("exports", case["rule"], read_stream, bytes.fromhex(case["stream"]), network)


def evidence():
    """W-1, W-5, F-12: where the checkpoint stands, and the two digests that readers compare."""
    file = load("evidence")
    network, checkpoint = bytes.fromhex(file["network"]), bytes.fromhex(file["checkpoint"])
    for case in file["cases"]:
        data = bytes.fromhex(case["package"])
        reader = Reader(data)
        same("evidence", U16[0](reader), 1)
        read_bytes(reader), U64[0](reader)
        same("evidence", reader.take(len(checkpoint)), checkpoint)
        same("evidence", digest(network, "pinned-checkpoint", checkpoint).hex(), case["checkpoint_digest"])
        same("evidence", sha(data).hex(), case["imprint"])


def case_commitment(network, number, item, salt):
    """A-2."""
    if not 1 <= len(number) <= 50 or any(letter.isspace() or unicodedata.category(letter) == "Cc" for letter in number):
        raise Refused("A-2")
    if not re.fullmatch("[0-9A-Za-z]{0,24}", item):
        raise Refused("A-2")
    return digest(network, "case", TEXT[1](number) + TEXT[1](item) + salt)


def cases():
    file = load("cases")
    network = bytes.fromhex(file["network"])
    for case in file["accepted"]:
        found = case_commitment(network, case["number"], case["item"], bytes.fromhex(case["salt"]))
        same("cases", found.hex(), case["commitment"])
    for case in file["refused"]:
        refused("cases", case["rule"], case_commitment, network, case["number"], case["item"], bytes(32))


# --- I: access ---------------------------------------------------------------------------------

FIELDS = listed(U16)
MODE, BASIS = variant("verify", "query", "batch"), variant("function", "authorisation", "entrustment")
GRANT = struct(
    grantee=U32, contact=TEXT, purpose=U16, item=TEXT, case=option(TEXT), method=TEXT,
    kinds=listed(struct(
        what=variant(
            ("resource", struct(resource=U32, fields=FIELDS, mode=MODE)), ("showing", struct(certificate_type=U32))),
        uses=U32)),
    **{"from": U64}, until=U64, separate_consent=BOOL, holder=KEY, salt=DIGEST)
PRESENTED = struct(network=DIGEST, place=PLACE, content=GRANT, signature=SIGNATURE, identity=TEXT, withdrawal=DIGEST)
ACCESS = struct(
    provider=U32, requester=U32, key=U16, request=U32, basis=BASIS, item=TEXT, case=TEXT, purpose=U16, mode=MODE,
    fields=FIELDS,
    questions=listed(struct(
        subject=TEXT, tests=listed(struct(field=U16, **{"is": variant("equal", "at-least", "at-most")}, value=TEXT)),
        warrant=variant("none", ("grant", PRESENTED), ("use-code", struct(code=TEXT, identity=TEXT))))),
    operator=TAG, reply_key=DIGEST, nonce=TAG, time=U64)
REFUSALS = """NOT_SIGNED OTHER_PROVIDER OTHER_TIME REQUEST_UNKNOWN NOT_THE_REQUESTER REQUEST_NOT_OPEN OUTSIDE_PERIOD OTHER_BASIS
    OTHER_ITEM OTHER_PURPOSE OTHER_CASE OTHER_RESOURCE OTHER_MODE OTHER_FIELDS GRANT_REQUIRED STALE GRANT_INVALID
    OTHER_GRANTEE GRANT_WITHDRAWN GRANT_SUSPENDED GRANT_NOT_YET_VALID GRANT_EXPIRED CONSENT_REQUIRED IDENTITY_INVALID
    OTHER_SUBJECT GRANT_USED_UP CODE_INVALID CODE_NOT_YET_VALID CODE_EXPIRED CODE_USED NO_ANSWER""".split()
RECEIPT = struct(
    provider=U32, requester=U32, request=U32, resource=U32, basis=BASIS, purpose=U16, item=TEXT, case=TEXT, mode=MODE,
    fields=FIELDS, warrant=DIGEST, use_number=U32, record=DIGEST, access=DIGEST, question=U16,
    result=variant("yes", "no", "answered", "not-found", ("refused", variant(*REFUSALS))), time=U64, book=U32, number=U64,
    salt=DIGEST)
RECORD = pair(TEXT, option(listed(pair(U16, option(TEXT)))))
QUESTION = struct(provider=U32, holder=KEY, identity=option(TEXT), **{"from": U64}, nonce=TAG, time=U64)
DAY_MILLIS = 86_400_000


def is_text(text, limit):
    controls = any(unicodedata.category(letter) == "Cc" for letter in text)
    return bool(text.strip()) and len(text.encode()) <= limit and not controls


def is_item(text):
    return re.fullmatch("[0-9A-Za-z]{1,24}", text) is not None


def are_fields(fields):
    return 1 <= len(fields) <= 256 and rising(fields)


def grant_digest(network, content):
    """I-3 and I-4."""
    kinds = [kind["what"] for kind in content["kinds"]]
    about = [(word, what.get("resource"), what.get("mode"), what.get("certificate_type"))
             for kind in kinds for word, what in kind.items()]
    right = (
        is_text(content["contact"], 300) and is_text(content["method"], 300) and is_item(content["item"])
        and 1 <= len(kinds) <= 16 and len(set(about)) == len(about)
        and all(are_fields(kind["resource"]["fields"]) for kind in kinds if "resource" in kind)
        and all(1 <= kind["uses"] <= 10_000 for kind in content["kinds"])
        and 0 < content["until"] - content["from"] <= 366 * DAY_MILLIS)
    if not right:
        raise Refused("I-3")
    if content["case"] is not None:
        case_commitment(network, content["case"], "", bytes(32))
    return digest(network, "grant-content", GRANT[1](content))


def grant_commitment(network, content, withdrawal):
    return digest(network, "grant", grant_digest(network, content), withdrawal)


def grant_tag(network, commitment):
    """Z-6."""
    return digest(network, "grant-tag", commitment)[:16]


def read_identity(text):
    """I-2: the disclosed part, without what Y-3 says of its claims."""
    version, shown = from_cbor(from_text(text, "FI1:"))
    if version != 1:
        raise Refused("I-2")
    return shown


def identity_key(text):
    key = read_identity(text)[10]
    return "%d:%s" % (key[0], key[1:].hex())


def read_use_code(text):
    """I-6: the terms as they are encoded, and the signature."""
    fields = from_cbor(from_text(text, "FU1:"))
    names = ("grantee", "resource", "fields", "mode", "item", "case", "purpose", "book", "line", "time", "lifetime",
             "nonce", "holder")
    if len(fields) != 15 or fields[0] != 1:
        raise Refused("I-6")
    terms = dict(zip(names, fields[1:14]))
    if not are_fields(terms["fields"]) or not is_item(terms["item"]) or not 1 <= terms["lifetime"] <= 300:
        raise Refused("I-1")
    encoded = (
        U32[1](terms["grantee"]) + U32[1](terms["resource"]) + FIELDS[1](terms["fields"]) + U32[1](terms["mode"])
        + TEXT[1](terms["item"]) + TEXT[1](terms["case"]) + U16[1](terms["purpose"]) + U32[1](terms["book"])
        + U64[1](terms["line"]) + U64[1](terms["time"]) + U32[1](terms["lifetime"]) + terms["nonce"]
        + BYTES[1](terms["holder"].hex()))
    return terms, encoded, fields[14]


def judge(network, facts):
    """I-10: the word of the refusal, or what is counted: a digest, a kind and the number of this use."""
    signed, now = facts["access"], facts["now"]
    access, member = signed["access"], facts["requester"]
    keys = member["keys"] if member and member["status"] == "active" else []
    key = keys[access["key"]] if access["key"] < len(keys) else None
    valid = key and key["purpose"] == "application" and key["from"] <= facts["height"] <= (key["until"] or 1 << 64)
    said = message(network, "access", digest(network, "access", ACCESS[1](access)))
    if not valid or verifies(key["key"], said, signed["signature"]) is False:
        return "NOT_SIGNED"
    if access["provider"] != facts["provider"]:
        return "OTHER_PROVIDER"
    if not access["time"] - 30_000 <= now <= access["time"] + 300_000:
        return "OTHER_TIME"
    request, resource, item = facts["request"], facts["resource"], facts["item"]
    if request is None or resource["provider"] != facts["provider"]:
        return "REQUEST_UNKNOWN"
    asked, today = request["terms"], (now + 28_800_000) // DAY_MILLIS
    is_shared = isinstance(resource["status"], dict) and {"published", "replaced"} & set(resource["status"])
    is_handled = not (isinstance(item["status"], dict) and "ended" in item["status"])
    steps = (
        (request["requester"] == access["requester"], "NOT_THE_REQUESTER"),
        (request["status"] == "provisioned" and is_shared and is_handled, "REQUEST_NOT_OPEN"),
        (asked["from"] <= today <= asked["until"], "OUTSIDE_PERIOD"),
        (asked["basis"] == access["basis"], "OTHER_BASIS"),
        (item["terms"]["code"] == access["item"], "OTHER_ITEM"),
        (item["terms"]["purpose"] == access["purpose"], "OTHER_PURPOSE"),
        (access["mode"] in asked["modes"], "OTHER_MODE"),
        (set(access["fields"]) <= set(asked["fields"]), "OTHER_FIELDS"))
    for holds, word in steps:
        if not holds:
            return word
    if access["basis"] == "function":
        return None
    question = access["questions"][0]
    warrant, person = question["warrant"], facts["person"]
    if warrant == "none":
        return "GRANT_REQUIRED"
    if not facts["is_fresh"]:
        return "STALE"
    if "grant" in warrant:
        grant, line = warrant["grant"], facts["line"]
        terms = grant["content"]
        content, holder = grant_digest(network, terms), terms["holder"]
        commitment = grant_commitment(network, terms, bytes.fromhex(grant["withdrawal"]))
        whole = (
            line and grant["network"] == network.hex() and identity_key(grant["identity"]) == holder
            and terms["grantee"] == line["opener"] and commitment.hex() == line["commitment"]
            and verifies(holder, message(network, "grant", commitment), grant["signature"]) is not False)
        of_resource = [
            (number, kind["uses"], kind["what"]["resource"]) for number, kind in enumerate(terms["kinds"])
            if kind["what"].get("resource", {}).get("resource") == asked["resource"]]
        of_mode = [kind for kind in of_resource if kind[2]["mode"] == access["mode"]]
        sensitive = any(resource["terms"]["fields"][field]["sensitive"] for field in access["fields"])
        steps = (
            (whole, "GRANT_INVALID"),
            (terms["grantee"] == access["requester"], "OTHER_GRANTEE"),
            (line and not line["is_withdrawn"], "GRANT_WITHDRAWN"),
            (line and not line["is_suspended"], "GRANT_SUSPENDED"),
            (terms["from"] <= now, "GRANT_NOT_YET_VALID"),
            (now <= terms["until"], "GRANT_EXPIRED"),
            (terms["item"] == access["item"], "OTHER_ITEM"),
            (terms["purpose"] == access["purpose"], "OTHER_PURPOSE"),
            (terms["case"] in (None, access["case"]), "OTHER_CASE"),
            (of_resource, "OTHER_RESOURCE"),
            (of_mode, "OTHER_MODE"),
            (of_mode and set(access["fields"]) <= set(of_mode[0][2]["fields"]), "OTHER_FIELDS"),
            (terms["separate_consent"] or not sensitive, "CONSENT_REQUIRED"))
        counted = (content, of_mode and of_mode[0][0], of_mode and of_mode[0][1], "GRANT_USED_UP")
    else:
        terms, encoded, signature = read_use_code(warrant["use-code"]["code"])
        code, holder = digest(network, "use-code", encoded), "%d:%s" % (terms["holder"][0], terms["holder"][1:].hex())
        shown = read_identity(warrant["use-code"]["identity"])
        whole = shown[:2] == [terms["book"], terms["line"]] and signed_by(
            holder, message(network, "use-code", code), signature)
        steps = (
            (whole, "CODE_INVALID"),
            (terms["grantee"] == access["requester"], "OTHER_GRANTEE"),
            ((terms["time"] - 30) * 1000 <= now, "CODE_NOT_YET_VALID"),
            (now <= (terms["time"] + terms["lifetime"] + 30) * 1000, "CODE_EXPIRED"),
            (terms["item"] == access["item"], "OTHER_ITEM"),
            (terms["purpose"] == access["purpose"], "OTHER_PURPOSE"),
            (terms["case"] == access["case"], "OTHER_CASE"),
            (terms["resource"] == asked["resource"], "OTHER_RESOURCE"),
            (["verify", "query", "batch"][terms["mode"]] == access["mode"], "OTHER_MODE"),
            (set(access["fields"]) <= set(terms["fields"]), "OTHER_FIELDS"))
        counted = (code, 0, 1, "CODE_USED")
    for holds, word in steps:
        if not holds:
            return word
    if person is None or person["key"] != holder:
        return "IDENTITY_INVALID"
    about = resource["terms"]["subject"]
    if isinstance(about, str):
        is_subject = person["kind"] == about and question["subject"] == person["named"]
    else:
        kind = about["certificate"]["certificate_type"]
        is_subject = person["certificate_type"] == kind and person["identifier"] == question["subject"]
    if not is_subject:
        return "OTHER_SUBJECT"
    warrant, kind, uses, word = counted
    return [warrant.hex(), kind, facts["used"] + 1] if facts["used"] < uses else word


def sharing():
    file = load("sharing")
    network = bytes.fromhex(file["network"])
    for case in file["grants"]:
        content, secret = case["content"], bytes.fromhex(case["secret"])
        same("grants", GRANT[1](content).hex(), case["encoded"])
        found, withdrawal = grant_digest(network, content), digest(network, "grant-secret", secret)
        same("grants", (found.hex(), withdrawal.hex()), (case["digest"], case["withdrawal"]))
        commitment = grant_commitment(network, content, withdrawal)
        same("grants", (commitment.hex(), grant_tag(network, commitment).hex()), (case["commitment"], case["tag"]))
        said = message(network, "grant", commitment)
        same("grants", (said.hex(), verifies(content["holder"], said, case["signature"]) is not False), (case["message"], True))
    for case in file["refused_grants"]:
        refused("grants", case["why"], grant_digest, network, case["content"])
    identity = file["identity"]
    shown = read_identity(identity["text"])
    same("use codes", {"book": shown[0], "line": shown[1]}, identity["place"])
    same("use codes", [claim[2] for claim in shown[12]], [identity["named"]])
    leaves = [(claim[0], leaf(to_cbor(claim))) for claim in shown[12]]
    siblings = [shown[13][at:at + 32] for at in range(0, len(shown[13]), 32)]
    claims = list_digest(network, 9, shown[11], fold_subset(shown[11], leaves, siblings))
    commitment = digest(network, "commitment", to_cbor(shown[2:11] + [claims]))
    tag = digest(network, "tag", identity["identifier"].encode())[:16]
    same("use codes", ((tag + commitment).hex(), identity_key(identity["text"])), (identity["line"], identity["key"]))
    for case in file["use_codes"]:
        terms, encoded, signature = read_use_code(case["text"])
        found = digest(network, "use-code", encoded)
        said = message(network, "use-code", found)
        same("use codes", (encoded.hex(), found.hex(), said.hex()), (case["encoded"], case["digest"], case["message"]))
        holder = "%d:%s" % (terms["holder"][0], terms["holder"][1:].hex())
        same("use codes", signed_by(holder, said, signature), True)
    for case in file["refused_use_codes"]:
        refused("use codes", case["why"], read_use_code, case["text"])
    for case in file["accesses"]:
        access = case["access"]["access"]
        encoded = ACCESS[1](access)
        same("accesses", (encoded.hex(), digest(network, "access", encoded).hex()), (case["encoded"], case["digest"]))
        same("accesses", ACCESS[0](Reader(encoded)), access)
        said = message(network, "access", bytes.fromhex(case["digest"]))
        same("accesses", said.hex(), case["message"])
        same("accesses", verifies(case["key"], said, case["access"]["signature"]) is not False, True)
    for case in file["judged"]["cases"]:
        facts = {**file["judged"]["starts"][case["start"]], **case["changed"]}
        # Without the package that checks signatures, those with another one are not told.
        wanted = case["refusal"] or case["counted"]
        if wanted not in ("NOT_SIGNED", "GRANT_INVALID") or verifies(
                file["grants"][1]["content"]["holder"], b"", file["grants"][1]["signature"]) is False:
            same("judged", (case["name"], judge(network, facts)), (case["name"], wanted))
    for case in file["receipts"]:
        receipt, salt = case["receipt"]["receipt"], bytes.fromhex(case["receipt"]["receipt"]["salt"])
        encoded = RECEIPT[1](receipt)
        found = digest(network, "receipt", encoded)
        same("receipts", (encoded.hex(), found.hex()), (case["encoded"], case["digest"]))
        same("receipts", RECEIPT[0](Reader(encoded)), receipt)
        same("receipts", leaf(digest(network, "receipt-leaf", found)).hex(), case["leaf"])
        record = digest(network, "receipt-record", salt, RECORD[1]([case["subject"], case["values"]]))
        same("receipts", record.hex(), receipt["record"])
        warrant = digest(network, "receipt-warrant", salt, bytes.fromhex(case["warrant"])) if case["warrant"] else bytes(32)
        same("receipts", warrant.hex(), receipt["warrant"])
        for side, kind in ("provider", "receipt"), ("requester", "receipt-taken"):
            signature = case["receipt"][side]["signature"]
            same("receipts", verifies(case["keys"][side], message(network, kind, found), signature) is not False, True)
    batch = file["batch"]
    leaves, path = [bytes.fromhex(text) for text in batch["leaves"]], batch["path"]
    tag = path["first"].to_bytes(8, "big") + len(leaves).to_bytes(8, "big")
    same("receipts", (tag + list_digest(network, 11, len(leaves), root(leaves))).hex(), batch["line"])
    top = fold(bytes.fromhex(batch["leaf"]), batch["number"] - path["first"], path["count"], [bytes.fromhex(h) for h in path["path"]])
    same("receipts", list_digest(network, 11, path["count"], top).hex(), batch["line"][32:])
    for case in file["holder_questions"]:
        question, signature = case["signed"]["question"], case["signed"]["signature"]
        said = message(network, "mine", QUESTION[1](question))
        same("receipts", said.hex(), case["message"])
        same("receipts", verifies(question["holder"], said, signature) is not False, True)
        if question["identity"] is not None:
            same("receipts", identity_key(question["identity"]), question["holder"])


# --- calendar ----------------------------------------------------------------------------------

def due(calendar, acted, days):
    """O-28."""
    for day in range(acted + 1, acted + 3661):
        if days == 0:
            return None
        date = (datetime.date(1970, 1, 1) + datetime.timedelta(day)).strftime("%Y%m%d")
        if {"workday": True, "holiday": False}.get(calendar.get(date), (day + 3) % 7 < 5):
            days -= 1
            if days == 0:
                return day
    return None


def working_days():
    file = load("working-days")
    for case in file["cases"]:
        same("working-days", due(file["calendar"], case["acted"], case["days"]), case["due"])
        same("working-days", due({}, case["acted"], case["days"]), case["due_without_calendar"])


for part in (encoding, digests, lists, keys, finality, recovery, transactions, proofs, challenges, codes, static_codes, possession,
             exports, evidence, cases, sharing, working_days):
    part()
for name, count in COUNTS.items():
    print("%-13s %4d checks" % (name, count))
