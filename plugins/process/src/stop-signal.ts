import { constants } from "node:os";

/** The names that Kubernetes allows but Node does not know, by the numbers that Linux programs use (glibc, musl). */
const FIRST_REAL_TIME = 34;
const LAST_REAL_TIME = 64;

/** Number of the signal that a container is stopped with; SIGTERM for a name that says nothing here. */
export function stopSignalNumber(name: string): number {
  const known = Object.entries(constants.signals).find(([signal]) => signal === name)?.[1];
  if (known !== undefined) return known;
  const found = /^SIGRT(?:MIN(?:\+(\d+))?|MAX(?:-(\d+))?)$/.exec(name);
  if (found === null) return constants.signals.SIGTERM;
  const [, above, below] = found;
  const number = name.startsWith("SIGRTMIN")
    ? FIRST_REAL_TIME + Number(above ?? 0)
    : LAST_REAL_TIME - Number(below ?? 0);
  const isRealTime = number >= FIRST_REAL_TIME && number <= LAST_REAL_TIME;
  return isRealTime ? number : constants.signals.SIGTERM;
}
