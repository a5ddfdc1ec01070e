// Who used what: a provider's receipts, each held against the ledger before anything of it is shown.

/** Receipts that one proof is asked for. */
const AT_ONCE = 64;
/** Answers of one provider to one question, at most. */
const ANSWERS = 64;

/**
 * A provider's receipts about what a certificate's key signed and whom the certificate is of: each with its
 * `worth`, `sides`, `grant` and the `header` that proves them.
 *
 * - `fields`: labels that name the holder; without any it is asked by the key alone.
 *
 * Besides `rows`: `error` where the provider broke off, `refused` where it takes the certificate for nobody's, in
 * its words, and `isCut` where it has more.
 */
export async function usesOf(trust, wallet, provider, certificate, fields) {
  const { receipts, ...rest } = await told(wallet, provider, certificate, fields);
  try {
    const rows = await judged(trust, wallet, provider, receipts);
    return { provider, rows: await Promise.all(rows.map((row) => settled(trust, wallet, provider, row))), ...rest };
  } catch (error) {
    return { provider, rows: [], ...rest, error };
  }
}

/** What a provider says, up to where it breaks off. */
async function told(wallet, provider, certificate, fields) {
  const found = new Map();
  const rest = { error: null, refused: null, isCut: true };
  const ask = (from) => {
    const labels = rest.refused === null ? fields : undefined;
    return provider.mine(wallet.ask(certificate, { provider: provider.member, from, fields: labels }, Date.now()));
  };
  try {
    for (let [from, asked] = [0, 0]; rest.isCut && asked < ANSWERS; asked += 1) {
      const { receipts, more } = await ask(from).catch((error) => {
        // A certificate that is in force no longer says nothing about anybody; its key still asks for its own.
        if (error.kind !== "identity-refused" || rest.refused !== null) throw error;
        rest.refused = error.message;
        return ask(from);
      });
      receipts.forEach((held) => found.set(held.receipt.receipt.number, held));
      const next = cursor(receipts);
      rest.isCut = Boolean(more);
      if (!(next > from)) break;
      from = next;
    }
  } catch (error) {
    rest.error = error;
  }
  return { receipts: [...found.values()], ...rest };
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

/**
 * What the ledger counts already stands in the batch whose leaves the provider publishes, or is withheld. Who does
 * not answer is not yet somebody who keeps anything back: such a row stays `counted`, with `why`.
 */
async function settled(trust, wallet, provider, row) {
  if (row.standing !== "counted") return row;
  const { receipt } = row.held.receipt;
  const withheld = { ...row, standing: "withheld" };
  let published;
  try {
    published = await provider.batch(receipt.number);
  } catch (error) {
    return error.kind === "not-found" ? withheld : { ...row, why: error.message };
  }
  const way = wayOf(wallet, receipt, published);
  if (way === null) return withheld;
  // The provider may not know yet where its batch stands.
  if (way.place === null) return row;
  try {
    const [again] = await judged(trust, wallet, provider, [{ ...row.held, ...way }]);
    return again.standing === "anchored" ? again : withheld;
  } catch (error) {
    return { ...row, why: error.message };
  }
}

/** The way of a receipt into a published batch; null where what is published is none, or another. */
function wayOf(wallet, receipt, { batch, leaves }) {
  try {
    const path = wallet.pathOf(receipt, batch.first, leaves);
    const place = batch.place && { book: batch.place.book, line: batch.place.line };
    const isPlace = place === null || Object.values(place).every((number) => Number.isSafeInteger(number) && number >= 0);
    return path && isPlace ? { path, place } : null;
  } catch {
    return null;
  }
}

/**
 * How often each kind of a grant was used, by receipts that hold: `used` is the highest number shown, `hidden` how
 * many up to it no receipt has, `repeated` how many are on several. Null for a kind whose uses leave no receipt.
 */
export function countsOf(wallet, rows, grant, kinds) {
  const its = rows.filter((row) => row.standing && row.grant?.[0] === grant);
  const receipts = its.map(({ held }) => held.receipt.receipt);
  const wrong = wallet.miscounts(grant, receipts);
  return kinds.map(({ what: { resource: kind } }) => {
    if (!kind) return null;
    const isIts = ({ resource, mode }) => resource === kind.resource && mode === kind.mode;
    const used = receipts.filter(isIts).reduce((most, { use_number: number }) => Math.max(most, number), 0);
    const numbers = (repeated) => wrong.filter((it) => isIts(it) && it.is_repeated === repeated)
      .reduce((sum, { first, last }) => sum + last - first + 1, 0);
    return { used, hidden: numbers(false), repeated: numbers(true) };
  });
}
