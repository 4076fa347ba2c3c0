import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readSeccompProfile } from "./seccomp-profile.ts";

let folder: string;
let profiles: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "seccomp-")));
  profiles = join(folder, "profiles");
  await mkdir(join(profiles, "a"), { recursive: true });
  await writeFile(join(profiles, "a/p.json"), '{ "defaultAction": "SCMP_ACT_ALLOW" }\n');
  await writeFile(join(profiles, "broken"), "{");
  await writeFile(join(folder, "outside.json"), "{}");
  await symlink("../outside.json", join(profiles, "link.json"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

it("gives Docker the profile, and Podman its place", async () => {
  expect(await readSeccompProfile(profiles, "a/p.json", false)).toBe(
    '{"defaultAction":"SCMP_ACT_ALLOW"}',
  );
  expect(await readSeccompProfile(profiles, "a/p.json", true)).toBe(join(profiles, "a/p.json"));
});

it.each([
  ["../outside.json", "not in the directory"],
  ["link.json", "not in the directory"],
  ["none.json", "there is none"],
  ["broken", "JSON"],
  ["", "not in the directory"],
])("refuses %j", async (name, words) => {
  await expect(readSeccompProfile(profiles, name, false)).rejects.toMatchObject({
    code: "InvalidConfig",
    message: expect.stringContaining(words) as string,
  });
});

it("has none without a directory", async () => {
  await expect(readSeccompProfile(undefined, "a/p.json", false)).rejects.toThrow("seccompProfiles");
});
