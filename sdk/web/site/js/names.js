// What numbers on the ledger are called, as a quorum proves it.

import { say } from "./language.js";

export class Names {
  #members;
  #codes;
  #resources;
  #items;
  #types;

  static async of(trust) {
    const names = new Names();
    [names.#members, names.#codes, names.#resources, names.#items, names.#types] =
      (await Promise.all(["members", "codes", "resources", "items", "types"].map((shelf) => trust.shelf(shelf)))).map(({ records }) => records);
    return names;
  }

  member(number) {
    return this.#members[number]?.name ?? `#${number}`;
  }

  /** The number of the member that a person means: by number, name or credit code. */
  memberOf(text) {
    const found = this.#members.find(({ number, name, code }) => [String(number), name, code].includes(text));
    return found?.number ?? null;
  }

  type(number) {
    return this.#types[number]?.name ?? `#${number}`;
  }

  purpose(code) {
    return this.#set("purposes").find((entry) => Number(entry.code) === code)?.name ?? String(code);
  }

  /** The label of the field that names the holder of such a certificate, where the register says one. */
  naming(typeCode) {
    return this.#set("identity-claims").find(({ code }) => code === typeCode)?.name ?? null;
  }

  resource(number) {
    return this.#resources[number]?.terms.name ?? `#${number}`;
  }

  fields(resource, numbers) {
    const fields = this.#resources[resource]?.terms.fields ?? [];
    return numbers.map((number) => fields[number]?.name ?? `#${number}`).join(say("and"));
  }

  /** An item by its code: the name of its newest edition beside it. */
  item(code) {
    const found = this.#items.findLast(({ terms }) => terms.code === code);
    return found ? say("item_called", { name: found.terms.name, code }) : code;
  }

  #set(name) {
    return this.#codes.find((set) => set.name === name)?.codes ?? [];
  }
}
