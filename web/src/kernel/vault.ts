// What this device keeps for one person: drafts and views, sealed, in IndexedDB.
//
// The key comes from the node with the session and stays in memory: whoever finds the device, or
// signs in on it as somebody else, opens nothing. A browser that keeps nothing is none the worse.

import { deviceKey } from "../api/call";
import { onForget } from "./forget";
import { importKey, seal, unseal, type Sealed } from "./seal";

/** LIMIT: days that something is kept without being touched. */
const KEPT_DAYS = 14;
const DAY_MS = 86_400_000;

interface Row extends Sealed {
  at: number;
}

interface Opened {
  person: string;
  key: CryptoKey;
  database: IDBDatabase;
}

let opened: Promise<Opened | null> = Promise.resolve(null);
/** Goes up whenever the reader changes: what was begun for one is not done for another. */
let turn = 0;

/** Opens it for whoever has signed in. */
export function openVault(person: string): Promise<unknown> {
  turn += 1;
  opened = begin(person).catch(() => null);
  return opened;
}

async function begin(person: string): Promise<Opened | null> {
  const answer = await deviceKey();
  if (!answer.done) return null;
  const [key, database] = await Promise.all([importKey(answer.value.key), openDatabase()]);
  const old = Date.now() - KEPT_DAYS * DAY_MS;
  const rows = database.transaction("kept", "readwrite").objectStore("kept");
  const cursor = rows.openCursor();
  cursor.onsuccess = () => {
    const row = cursor.result;
    if (!row) return;
    if ((row.value as Row).at < old) row.delete();
    row.continue();
  };
  return { person, key, database };
}

function openDatabase(): Promise<IDBDatabase> {
  const asked = indexedDB.open("muster", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore("kept");
  return result(asked);
}

function result<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error ?? new Error("IndexedDB"));
  });
}

const rowsOf = ({ database }: Opened, mode: IDBTransactionMode): IDBObjectStore =>
  database.transaction("kept", mode).objectStore("kept");

/** What was kept under a name; undefined when there is nothing, or nothing that opens. */
export async function kept(name: string): Promise<unknown> {
  const vault = await opened;
  if (!vault) return undefined;
  const full = `${vault.person}/${name}`;
  const row = (await result(rowsOf(vault, "readonly").get(full))) as Row | undefined;
  return row && unseal(vault.key, full, row);
}

/** Keeps a value under a name, in the place of what was there; undefined removes it. */
export async function keep(name: string, value: unknown): Promise<void> {
  const begun = turn;
  const vault = await opened;
  if (!vault || begun !== turn) return;
  const full = `${vault.person}/${name}`;
  if (value === undefined) {
    await result(rowsOf(vault, "readwrite").delete(full));
    return;
  }
  const row: Row = { ...(await seal(vault.key, full, value)), at: Date.now() };
  await result(rowsOf(vault, "readwrite").put(row, full));
}

onForget(() => {
  turn += 1;
  const before = opened;
  opened = Promise.resolve(null);
  void before.then(vault => vault?.database.close());
});
