// What the device keeps: one small table of names and values.

const NAME = "fengni";
const TABLE = "kept";

let opened;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(TABLE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

async function run(mode, work) {
  const table = (await open()).transaction(TABLE, mode).objectStore(TABLE);
  return new Promise((resolve, reject) => {
    const asked = work(table);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

// A browser in private mode may keep nothing: the page works on, and begins anew the next time.
export const recall = (name) => run("readonly", (table) => table.get(name)).catch(() => undefined);
export const keep = (name, value) => run("readwrite", (table) => table.put(value, name)).catch(() => undefined);
export const forget = (name) => run("readwrite", (table) => table.delete(name)).catch(() => undefined);
