import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Deleted pods are remembered so long: their last status is still asked for. Milliseconds. */
const KEPT_MS = 24 * 60 * 60_000;

interface Placement {
  plugin: string;
  /** When the pod's deletion was handed over, milliseconds since 1970. */
  deletedAt?: number;
}

/** One line of the file. */
interface Line extends Placement {
  uid: string;
}

/**
 * Which plugin has which pod, by UID: one line of JSON for each decision, durable before the plugin hears of the pod. So a
 * pod stays where it is whatever becomes of the configuration, and a server that was started anew knows where to ask.
 */
export class Placements implements AsyncDisposable {
  private readonly byUid: Map<string, Placement>;
  private readonly file: FileHandle;
  private waiting: { line: string; done: (error?: Error) => void }[] = [];
  private writing: Promise<void> | undefined;

  private constructor(byUid: Map<string, Placement>, file: FileHandle) {
    this.byUid = byUid;
    this.file = file;
  }

  /** Reads the file if it is there, and writes it anew without what has long been deleted. Throws what reading throws. */
  static async open(path: string, now: number): Promise<Placements> {
    const byUid = new Map<string, Placement>();
    for (const text of (await readIfThere(path)).split("\n")) {
      const line = readLine(text);
      if (line === undefined) continue;
      const { uid, ...placement } = line;
      byUid.set(uid, placement);
    }
    for (const [uid, { deletedAt }] of byUid) {
      if (deletedAt !== undefined && now - deletedAt > KEPT_MS) byUid.delete(uid);
    }
    const next = await open(`${path}.new`, "w", 0o600);
    try {
      const lines = [...byUid].map(([uid, placement]) => lineOf(uid, placement));
      await next.writeFile(lines.join(""));
      await next.sync();
    } finally {
      await next.close();
    }
    await rename(`${path}.new`, path);
    const directory = await open(dirname(path), "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
    return new Placements(byUid, await open(path, "a", 0o600));
  }

  of(uid: string): string | undefined {
    return this.byUid.get(uid)?.plugin;
  }

  /** Pods by plugin; deleted ones are not counted. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { plugin, deletedAt } of this.byUid.values()) {
      if (deletedAt === undefined) counts.set(plugin, (counts.get(plugin) ?? 0) + 1);
    }
    return counts;
  }

  /** Resolves when it is on disk. A pod that is placed already, and not deleted, stays. */
  async place(uid: string, plugin: string): Promise<void> {
    const before = this.byUid.get(uid);
    if (before?.plugin === plugin && before.deletedAt === undefined) return;
    const placement = { plugin };
    await this.append(lineOf(uid, placement));
    this.byUid.set(uid, placement);
  }

  /** The pod's deletion is the plugin's business by now. */
  async deleted(uid: string, now: number): Promise<void> {
    const before = this.byUid.get(uid);
    if (before === undefined || before.deletedAt !== undefined) return;
    const placement = { ...before, deletedAt: now };
    this.byUid.set(uid, placement);
    await this.append(lineOf(uid, placement));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writing;
    await this.file.close();
  }

  private append(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      this.waiting.push({ line, done });
      this.writing ??= this.writeAll().finally(() => {
        this.writing = undefined;
      });
    });
  }

  /** What waits is written and synced together. */
  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      let problem: Error | undefined;
      try {
        await this.file.appendFile(batch.map(({ line }) => line).join(""));
        await this.file.datasync();
      } catch (error) {
        problem = error instanceof Error ? error : new Error(String(error));
      }
      for (const { done } of batch) done(problem);
    }
  }
}

function lineOf(uid: string, placement: Placement): string {
  return `${JSON.stringify({ uid, ...placement } satisfies Line)}\n`;
}

/** A line that a crash cut off says nothing: its pod was never handed over. */
function readLine(text: string): Line | undefined {
  try {
    const { uid, plugin, deletedAt } = JSON.parse(text) as Partial<Line>;
    if (typeof uid !== "string" || typeof plugin !== "string") return undefined;
    return { uid, plugin, ...(typeof deletedAt === "number" ? { deletedAt } : {}) };
  } catch {
    return undefined;
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
