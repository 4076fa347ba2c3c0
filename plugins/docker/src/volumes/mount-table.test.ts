import { expect, it } from "vitest";
import { mountsBelow } from "./mount-table.ts";

const TABLE = `22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:21 / /data rw,nosuid,nodev shared:2 - tmpfs t rw
31 30 0:22 / /data/sub\\040dir ro,noexec - tmpfs t rw
32 22 0:23 / /database rw - tmpfs t rw
`;

it("reads what is mounted at a place and below it, and nowhere else", () => {
  expect(mountsBelow(TABLE, "/data")).toEqual([
    { path: "/data", options: ["rw", "nosuid", "nodev"] },
    { path: "/data/sub dir", options: ["ro", "noexec"] },
  ]);
  expect(mountsBelow(TABLE, "/").map(({ path }) => path)).toHaveLength(4);
  expect(mountsBelow(TABLE, "/none")).toEqual([]);
});
