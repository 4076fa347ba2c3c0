import type { PodOptions } from "../harness/manifest.ts";
import { waitUntil } from "../systems/wait-until.ts";
import type { Site } from "./site.ts";

/** Keeps a container busy until it is stopped, and ends at once then. */
export const STAY = "trap 'exit 0' TERM; while :; do sleep 0.2; done";

/** Runs a pod to its end, gives what it wrote, and deletes it. */
export async function outputOf(site: Site, name: string, options: PodOptions): Promise<string> {
  const output = await site.output(name, options);
  await site.delete(name);
  return output;
}

/** The same, with lines of the form `key=value` as an object. */
export async function valuesOf(
  site: Site,
  name: string,
  options: PodOptions,
): Promise<Record<string, string>> {
  return readValues(await outputOf(site, name, options));
}

export function readValues(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line.includes("="));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** Waits until the last line that a running pod wrote is as expected. */
export async function lastLine(site: Site, name: string, expected: string): Promise<void> {
  let last = "";
  try {
    await waitUntil(
      `the pod ${name} writes ${JSON.stringify(expected)}`,
      async () => {
        last = (await site.logs(name, "--tail=1")).trim();
        return last === expected;
      },
      60_000,
    );
  } catch (error) {
    throw new Error(`${String(error)} Last it wrote ${JSON.stringify(last)}.`, { cause: error });
  }
}

/** Waits until a container of the pod waits for this reason, and gives the message. */
export async function waitingFor(site: Site, name: string, reason: string): Promise<string> {
  const pod = await site.podWhen(name, `waits: ${reason}`, ({ status }) =>
    status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === reason),
  );
  return pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? "";
}

/** Messages of the events of a pod with this reason, as soon as there is one. */
export function eventsOf(site: Site, name: string, reason: string): Promise<string[]> {
  return waitUntil(`pod ${name} has an event ${reason}`, async () => {
    const selector = `involvedObject.name=${name},reason=${reason}`;
    const { items } = await site.kubectl.json<{ items: { message?: string }[] }>([
      "get",
      "events",
      `--field-selector=${selector}`,
    ]);
    return items.length > 0 && items.map(({ message }) => message ?? "");
  });
}

export function configMap(name: string, data: Record<string, string>, more: object = {}): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data, ...more };
}

export function secret(name: string, stringData: Record<string, string>, more: object = {}) {
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, stringData, ...more };
}
