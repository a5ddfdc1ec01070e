// Loading a module once, in a browser and in Node.

/** A function that loads the module beside this file, or from what it is given. */
export function loader(init, name) {
  let ready;

  async function start(source) {
    const beside = new URL(name, import.meta.url);
    if (source === undefined && beside.protocol === "file:") {
      const { readFile } = await import("node:fs/promises");
      source = await readFile(beside);
    }
    await init({ module_or_path: source ?? beside });
  }

  return (source) => {
    ready ??= start(source).catch((error) => {
      ready = undefined;
      throw error;
    });
    return ready;
  };
}
