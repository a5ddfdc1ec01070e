// Who verifies, and for what: chosen from the proven registries, kept on the device.

import { byId, make } from "./dom.js";
import { say } from "./language.js";
import { keep, recall } from "./store.js";

/** Members that verify, and purposes, from the register. */
export async function choices(trust) {
  const [members, codes] = [await trust.shelf("members"), await trust.shelf("codes")];
  const purposes = codes.records.find((set) => set.name === "purposes");
  const found = {
    members: members.records.filter((member) => member.status === "active").map(({ number, name }) => ({ number, name })),
    purposes: purposes?.codes.map(({ code, name }) => ({ code: Number(code), name })) ?? [],
  };
  await keep(`choices ${trust.network}`, found);
  return found;
}

export class Settings {
  constructor(trust) {
    this.trust = trust;
    this.chosen = null;
    this.dialog = byId("settings");
  }

  async load() {
    this.chosen = (await recall(`settings ${this.trust.network}`)) ?? null;
  }

  /** What a question needs. */
  get question() {
    const { member, purpose, grade, assurance } = this.chosen;
    return {
      verifier: member.number,
      purpose: purpose.code,
      ...(grade ? { min_grade: grade } : {}),
      ...(assurance ? { min_assurance: assurance } : {}),
    };
  }

  /** Lets the clerk choose; whether anything was chosen. */
  async choose() {
    const problem = byId("settings-problem");
    problem.hidden = true;
    // Without a network, what was proven before will do for choosing.
    const found = (await choices(this.trust).catch(() => null)) ?? (await recall(`choices ${this.trust.network}`));
    if (!found) {
      problem.textContent = say("offline");
      problem.hidden = false;
    }
    fill("member", found?.members ?? [], ({ number, name }) => [number, name], this.chosen?.member.number);
    fill("purpose", found?.purposes ?? [], ({ code, name }) => [code, `${name}(${code})`], this.chosen?.purpose.code);
    byId("grade").value = this.chosen?.grade ?? "";
    byId("assurance").value = this.chosen?.assurance ?? "";
    this.dialog.returnValue = "";
    this.dialog.showModal();
    await new Promise((resolve) => this.dialog.addEventListener("close", resolve, { once: true }));
    if (this.dialog.returnValue !== "save" || !found) return false;
    this.chosen = {
      member: found.members.find(({ number }) => String(number) === byId("member").value),
      purpose: found.purposes.find(({ code }) => String(code) === byId("purpose").value),
      grade: byId("grade").value || null,
      assurance: byId("assurance").value || null,
    };
    await keep(`settings ${this.trust.network}`, this.chosen);
    return true;
  }
}

function fill(id, list, shape, chosen) {
  byId(id).replaceChildren(...list.map((entry) => {
    const [value, name] = shape(entry);
    return make("option", { value, selected: value === chosen }, name);
  }));
}
