// Who used what: a provider's receipts, each held against the ledger before anything of it is shown.

import { NoAnswer } from "./gateway.js";

/** Receipts that one proof is asked for. */
const AT_ONCE = 64;
/** Answers of one provider to one question, at most. */
const ANSWERS = 64;

/**
 * A provider's receipts about what a certificate's key signed and whom the certificate is of: each with its
 * `worth`, `sides`, `grant` and the `header` that proves them. `byKey`: the provider takes the certificate for nobody's.
 */
export async function usesOf(trust, wallet, provider, certificate, fields) {
  const found = new Map();
  let [from, byKey] = [0, false];
  for (let asked = 0; asked < ANSWERS; asked += 1) {
    const ask = (labels) => provider.mine(wallet.ask(certificate, { provider: provider.member, from, fields: labels }, Date.now()));
    let answer;
    try {
      answer = await ask(byKey ? undefined : fields);
    } catch (error) {
      // A certificate that is in force no longer says nothing about anybody; its key still asks for its own.
      if (error.kind !== "refused" || byKey) throw error;
      byKey = true;
      answer = await ask(undefined);
    }
    const { receipts, more } = answer;
    receipts.forEach((held) => found.set(held.receipt.receipt.number, held));
    const next = cursor(receipts);
    if (!more || !(next > from)) break;
    from = next;
  }
  const rows = await judged(trust, wallet, provider, [...found.values()]);
  return { rows: await Promise.all(rows.map((row) => settled(trust, wallet, provider, row))), byKey };
}

/** Where the next question goes on. */
const cursor = (receipts) => receipts.at(-1)?.receipt.receipt.number + 1;

/** Judges receipts by proofs of the ledger. */
async function judged(trust, wallet, provider, receipts) {
  const rows = [];
  for (let at = 0; at < receipts.length; at += AT_ONCE) {
    const some = receipts.slice(at, at + AT_ONCE);
    let proven = await trust.evidence(["parameters/0"]);
    // Members and books first: they say which lines there are.
    for (let round = 0; round < 2; round += 1) {
      proven = await trust.evidence(wallet.placesOf(some, provider.member, proven, Date.now()));
    }
    const worths = wallet.judge(some, provider.member, proven, Date.now());
    rows.push(...worths.map((row, place) => ({ provider, held: some[place], ...row, ...standing(row.worth), header: proven.header })));
  }
  return rows;
}

/** `standing`: `anchored`, `waiting`, `late`, `withheld` or `counted`; null with `why` for what shows nothing. */
function standing(worth) {
  if (worth === "counted") return { standing: "counted" };
  return "holds" in worth ? { standing: worth.holds } : { standing: null, why: worth.unfit };
}

/** What the ledger counts already stands in the batch whose leaves the provider publishes, or is withheld. */
async function settled(trust, wallet, provider, row) {
  if (row.standing !== "counted") return row;
  const { receipt } = row.held.receipt;
  try {
    const { batch, leaves } = await provider.batch(receipt.number);
    // The provider may not know yet where its batch stands.
    if (!batch.place) return row;
    const path = wallet.pathOf(receipt, batch.first, leaves);
    const [again] = await judged(trust, wallet, provider, [{ ...row.held, path, place: batch.place }]);
    return again.standing === "anchored" ? again : { ...row, standing: "withheld" };
  } catch (error) {
    // Who does not answer is not yet somebody who keeps anything back.
    return error instanceof NoAnswer && error.kind === "not-found" ? { ...row, standing: "withheld" } : row;
  }
}

/**
 * How often each kind of a grant was used, by receipts that hold; `hidden` are uses whose receipt is not there,
 * because uses of a kind are counted without a gap.
 */
export function countsOf(rows, grant, kinds) {
  return Array.from({ length: kinds }, (_, kind) => {
    const its = rows.filter((row) => row.standing && row.grant?.[0] === grant && row.grant[1] === kind);
    const numbers = new Set(its.map(({ held }) => held.receipt.receipt.use_number).filter((number) => number > 0));
    const used = Math.max(0, ...numbers);
    return { used, hidden: used - numbers.size };
  });
}
