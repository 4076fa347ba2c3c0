import { expect, it } from "vitest";
import { exitCodeOfFailedStart } from "./failed-start.ts";

it.each([
  [
    'runc: runc create failed: unable to start container process: exec: "/no/such": stat /no/such: no such file or directory: OCI runtime attempted to invoke a command that was not found',
    127,
  ],
  ["crun: executable file `nope` not found in $PATH: No such file or directory", 127],
  [
    'runc: runc create failed: unable to start container process: exec: "/etc/passwd": permission denied: OCI permission denied',
    126,
  ],
  ['exec: "/etc": is a directory', 126],
  ["cannot join network of a non running container: 3f", undefined],
  ["invalid mount: /data: no such file or directory", undefined],
])("a start that fails with %j has exit code %s", (words, code) => {
  expect(exitCodeOfFailedStart(words)).toBe(code);
});
