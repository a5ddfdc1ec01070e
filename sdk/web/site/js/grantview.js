// A holder's grants: where each stands, and the one step that withdraws it.

import { byId, make } from "./dom.js";
import { moment, pick, say } from "./language.js";
import { mark } from "./mark.js";
import { GRANTS, MODES } from "./minewords.js";
import { placesOfLine } from "./places.js";
import { countsOf } from "./uses.js";

/** How long a withdrawal's block is waited for, and how often the ledger is looked at. */
const WAIT_MILLIS = 15_000;
const LOOK_MILLIS = 500;

/** Where a grant stands, proven: `standing` is null where the line is another's, `header` null where nothing is known. */
export async function grantStanding(trust, wallet, number, { place }) {
  try {
    const proven = await trust.evidence(placesOfLine(place));
    return { standing: wallet.grantStanding(number, proven, Date.now()), header: proven.header };
  } catch (error) {
    return { standing: null, header: null, why: error.message };
  }
}

/** `rows` are the receipts that tell how often it was used; `withdraw(number)` is asked for by the holder. */
export function grantCard(number, grant, found, { names, rows, wallet, withdraw }) {
  const counts = countsOf(wallet, rows, number, grant.kinds);
  const heading = `grant-${number}`;
  const fact = (title, ...value) => make("div", {}, make("dt", {}, say(title)), make("dd", {}, ...value));
  const button = make("button", { type: "button", class: "quiet", "aria-describedby": heading, onclick: () => withdraw(number) }, say("withdraw"));
  return make("article", { class: "card grant", "data-grant": number, "data-standing": found.standing ?? "none", tabindex: -1 },
    make("h3", { id: heading }, names.member(grant.grantee), " ", mark(found.standing ? found.header : null)),
    make("p", { class: "standing" }, make("b", {}, found.standing ? pick(GRANTS[found.standing]) : found.why ?? say("grant_other"))),
    make("dl", { class: "facts" },
      fact("grant_purpose", `${names.purpose(grant.purpose)} · ${names.item(grant.item)} · ${grant.case ?? say("grant_any_case")}`),
      fact("grant_kinds", make("ul", { class: "plain" }, grant.kinds.map((kind, place) => make("li", {}, what(kind.what, names), " · ", used(kind, counts[place]))))),
      fact("grant_method", grant.method),
      fact("grant_contact", grant.contact),
      fact("grant_until", moment(grant.until, true))),
    found.standing === "withdrawn" ? null : button);
}

function what({ resource: found, showing }, names) {
  if (showing) return say("grant_showing", { type: names.type(showing.certificate_type) });
  return say("grant_resource", { resource: names.resource(found.resource), fields: names.fields(found.resource, found.fields), mode: pick(MODES[found.mode]) });
}

function used({ uses }, counts) {
  if (counts === null) return say("grant_looks");
  const { used: count, hidden, repeated } = counts;
  const words = say("grant_used", { used: count, uses });
  const wrong = [hidden > 0 ? say("grant_hidden", { n: hidden }) : null, repeated > 0 ? say("grant_repeated", { n: repeated }) : null].filter(Boolean);
  return wrong.length ? make("span", { class: "flag" }, [words, ...wrong].join(" · ")) : words;
}

/** Asks the holder once; whether they mean it. */
export async function confirmed(grant, names) {
  const dialog = byId("withdrawal");
  byId("withdrawal-what").textContent = say("withdraw_what", { who: names.member(grant.grantee), purpose: names.purpose(grant.purpose) });
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "withdraw";
}

/**
 * Withdraws a grant: every provider is asked at once, and the first that says it is done counts. What it says is no
 * proof: the line's new state is looked for, and what was found at last is given.
 */
export async function withdrawn(trust, wallet, number, grant, providers) {
  const withdrawal = wallet.withdrawal(number);
  const sent = providers.map((provider) => provider.withdraw(withdrawal).catch((error) => {
    // Withdrawn before: the line says so as well.
    if (error.kind !== "done-before") throw new Error(`${provider.url}: ${error.message}`);
  }));
  let trouble = say("withdraw_unproven");
  const isSent = await Promise.any(sent).then(() => true, ({ errors }) => {
    trouble = errors.map(({ message }) => message).join(say("also")) || say("withdraw_nobody");
    return false;
  });
  // Who broke off may have brought it all the same.
  const found = isSent ? await awaited(trust, wallet, number, grant) : await grantStanding(trust, wallet, number, grant);
  if (found.standing !== "withdrawn") throw new Error(trouble);
  return found;
}

async function awaited(trust, wallet, number, grant) {
  const begun = Date.now();
  for (;;) {
    const found = await grantStanding(trust, wallet, number, grant);
    if (found.standing === "withdrawn" || Date.now() - begun > WAIT_MILLIS) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
  }
}
