// Records as people read them: the ledger packs roles and acts into bits, and counts days.

const ROLES = ["validator", "observer", "issuer", "provider", "requester", "verifier", "regulator", "auditor", "identity"];
const ACTS = [
  "suspend", "return", "cancel", "annul", "revoke", "transfer-out", "cancel-transfer", "expire", "dispute",
  "clear-dispute", "block-key", "renew", "change", "correct", "rekey", "transfer-in", "consume", "step", "withdraw",
];
const STATES = [
  "active", "annulled", "cancelled", "expired", "transferring-out", "revoked", "superseded", "consumed", "rekeyed",
  "closed", "withdrawn",
];
const DISPUTED = 0x10;
const KEY_BLOCKED = 0x20;

const bits = (names, number) => names.filter((_, place) => (number & (1 << place)) !== 0);

/** A day, counted from 1970-01-01, as `YYYY-MM-DD`. */
export function day(number) {
  return new Date(number * 86_400_000).toISOString().slice(0, 10);
}

const dayOr = (number) => (number === null ? null : day(number));

/** State and flags of a line from their byte. */
export function standing(byte) {
  return {
    state: STATES[byte & 0x0f],
    disputed: (byte & DISPUTED) !== 0,
    key_blocked: (byte & KEY_BLOCKED) !== 0,
  };
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const READERS = {
  members: (record) => ({ ...record, roles: bits(ROLES, record.roles) }),
  types: ({ record: { acts, ...record }, encoded }) => ({ ...record, ...(acts === undefined ? {} : { acts: bits(ACTS, acts) }), encoded }),
  authorities: (record) => ({ ...record, from: day(record.from), until: day(record.until) }),
  agreements: (record) => ({
    ...record,
    terms: { ...record.terms, from: day(record.terms.from), until: day(record.terms.until) },
  }),
  // What is not of certificates has its word as the subject.
  books: ({ subject, ...record }) => ({
    ...record,
    subject: typeof subject === "string" ? subject : "certificates",
    certificate_type: subject.certificates?.certificate_type ?? null,
  }),
  objections: (record) => ({
    ...record,
    filed_on: day(record.filed_on),
    answer: { due: dayOr(record.answer.due), done: dayOr(record.answer.done) },
  }),
  page: (page) => ({
    ...page,
    exceptions: page.exceptions.map((found) => ({
      place: found.place,
      holds: found.holds,
      ...standing(found.standing),
    })),
  }),
  act: (act) => ({ ...act, from: standing(act.from), to: standing(act.to) }),
  line: (line) => ({ ...line, tag: typeof line.tag === "string" ? line.tag : hex(line.tag) }),
};

/** An entry of a proof by its place, such as `members/3`. */
export function entry(place, record) {
  const read = READERS[place.slice(0, place.indexOf("/"))];
  return read && record ? read(record) : record;
}
