import { join } from "node:path";
import type { ContainerHandle } from "../../runtime/container-runtime.ts";
import type { PodRecord } from "../record.ts";
import { containerRecord } from "../record.ts";
import { withDeadline } from "../with-deadline.ts";
import { aboutWork, type PodWork } from "../work.ts";
import { messageLimit, terminationMessage } from "./termination-message.ts";

/** Reading a message is a courtesy; it must not hold up the news that the container has ended. */
const READ_DEADLINE_MS = 5_000;
/** Of the file in an attempt's directory that is bound at its `terminationMessagePath`. */
export const TERMINATION_FILE = "termination-log";

/** What the containers that ended between two records wanted to say; those that said nothing are left out. */
export async function readEndedMessages(
  work: PodWork,
  before: PodRecord,
  after: PodRecord,
  closing: AbortSignal,
): Promise<{ name: string; attempt: number; message: string }[]> {
  const { plan, parts } = work;
  const limit = messageLimit(plan.all.length);
  const ended = plan.all.flatMap(({ name, container }) => {
    const { current } = containerRecord(after, name);
    if (current?.state !== "exited" || current.message !== undefined) return [];
    const known = containerRecord(before, name).current;
    if (known?.attempt === current.attempt && known.state === "exited") return [];
    return [{ container, attempt: current.attempt, id: current.id, code: current.exitCode ?? 0 }];
  });
  const messages = await Promise.all(
    ended.map(async ({ container, attempt, id, code }) => {
      const { name } = container;
      const directory = parts.store.paths(plan.uid).container(name, attempt);
      const handle = { uid: plan.uid, containerName: name, attempt, id };
      const file = join(directory, TERMINATION_FILE);
      try {
        const message = await withDeadline(closing, READ_DEADLINE_MS, (signal) =>
          terminationMessage(container, code, file, limit, ({ tailLines }) =>
            logTail(work, handle, tailLines, signal),
          ),
        );
        return { name, attempt, message };
      } catch (error) {
        parts.logger.warn(
          { ...aboutWork(work), err: error },
          "a termination message cannot be read",
        );
        return { name, attempt, message: "" };
      }
    }),
  );
  return messages.filter(({ message }) => message !== "");
}

async function logTail(
  work: PodWork,
  handle: ContainerHandle,
  tailLines: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const options = { follow: false, timestamps: false, tailLines };
  const chunks: Uint8Array[] = [];
  for await (const chunk of work.parts.runtime.logs(handle, options, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
