// Offline trust packs: the place where they come in. Until the core has them, there is none.
//
// The verifier page asks for four things: the pack the device keeps, a newer one, what one says
// about a code, and how old it is.

/** The pack of this device. */
export class Pack {
  /** Whether this build knows packs at all. */
  static available = false;

  /** Opens the pack that the device keeps, if it keeps one. */
  static async open(_trust) {
    return new Pack();
  }

  /** When its state was, in milliseconds since 1970; null where there is none. */
  get time() {
    return null;
  }

  /** Fetches a newer pack for what this verifier needs. */
  async update(_question) {
    throw new Error("packs are not part of this build");
  }

  /** Judges a code without a network; null where there is no pack. */
  verify(_text, _question, _now) {
    return null;
  }
}
