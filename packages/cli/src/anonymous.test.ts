import { expect, test } from "vitest";
import { anonymous } from "./anonymous.ts";

const open = { host: "0.0.0.0", port: 3000 };
const own = { host: "127.0.0.1", port: 3000 };
const REFUSED = "Who may run pods";

test.each<[object, boolean, boolean | undefined, string | undefined]>([
  [open, true, undefined, REFUSED],
  [open, true, true, "anyone who reaches"],
  [open, true, false, REFUSED],
  // Drop-in: existing programs ask nobody, and their files have no key for it.
  [open, false, undefined, "anyone who reaches"],
  [open, false, false, REFUSED],
  [own, true, undefined, "every user of this machine"],
  [own, false, undefined, "every user of this machine"],
  [own, true, false, REFUSED],
  [{ unixSocket: "/run/s.sock" }, true, undefined, undefined],
  [{ unixSocket: "/run/s.sock" }, true, false, undefined],
])(
  "a server at %j (by a flag: %s, allowed: %s) that asks nobody: %s",
  (listen, isByFlag, allowed, words) => {
    const told = () =>
      anonymous({ listen: listen as typeof open, isByFlag, allowed, how: "give --token-file" });
    if (words === REFUSED) expect(told).toThrow(REFUSED);
    else if (words === undefined) expect(told()).toBeUndefined();
    else expect(told()).toContain(words);
  },
);
