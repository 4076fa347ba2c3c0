import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../testing/run-command.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interlink-precedence-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Case {
  /** The command without the setting. */
  command: string[];
  /** The setting in each place, with a value that is refused by its own words. */
  flag: string[];
  env: Record<string, string>;
  file: string;
  /** What is said to be wrong, from each place. */
  refused: Record<"flag" | "env" | "file", RegExp>;
  /** A file that says nothing of it; and what is said then. */
  rest: string;
  byDefault: RegExp;
}

const LISTEN = { flag: /"flagged" is no address/, env: /"127\.0\.0\.1:99991" is no/ };

/** One setting of each role. All others go the same way: every-role.test.ts. */
const CASES: Record<string, Case> = {
  node: {
    command: ["node", "--site", "unix:///nowhere.sock"],
    flag: ["--name", "FLAG"],
    env: { NODENAME: "ENV" },
    file: "NodeName: FILE\n",
    refused: { flag: /--name "FLAG"/, env: /--name "ENV"/, file: /--name "FILE"/ },
    rest: "",
    byDefault: /What is the virtual node's name\?/,
  },
  server: {
    command: ["server", "--plugin", "unix:///nowhere.sock"],
    flag: ["--listen", "flagged"],
    env: { INTERLINKURL: "varied" },
    file: "InterlinkAddress: filed\n",
    refused: { flag: LISTEN.flag, env: /"varied" is no address/, file: /"filed" is no address/ },
    rest: "TLS: { Enabled: true }\n",
    byDefault: /give TLS\.CertFile/,
  },
  docker: {
    command: ["plugin", "docker", "--docker-host", "unix:///nowhere.sock"],
    flag: ["--listen", "flagged"],
    env: { SIDECARPORT: "99991" },
    file: 'SidecarPort: "99992"\n',
    refused: { ...LISTEN, file: /"127\.0\.0\.1:99992" is no address/ },
    rest: "Socket: elsewhere\n",
    byDefault: /"elsewhere" is no address/,
  },
  slurm: {
    command: ["plugin", "slurm"],
    flag: ["--listen", "flagged"],
    env: { SIDECARPORT: "99991" },
    file: 'SidecarPort: "99992"\n',
    refused: { ...LISTEN, file: /"127\.0\.0\.1:99992" is no address/ },
    rest: "Socket: elsewhere\n",
    byDefault: /"elsewhere" is no address/,
  },
};

test.each(Object.entries(CASES))(
  "a flag of %s goes before a variable, that before the file",
  async (role, { command, flag, env, file, refused, rest, byDefault }) => {
    const config = join(directory, `${role}.yaml`);
    const root = command[0] === "plugin" ? ["--root", join(directory, role)] : [];
    const run = (flags: string[], variables: Record<string, string>, text: string) =>
      writeFile(config, text).then(() =>
        runCommand([...command, ...root, ...flags, "--config", config, "--log-level", "silent"], {
          env: variables,
        }),
      );
    await expect(run(flag, env, file)).rejects.toThrow(refused.flag);
    await expect(run([], env, file)).rejects.toThrow(refused.env);
    await expect(run([], {}, file)).rejects.toThrow(refused.file);
    await expect(run([], {}, rest)).rejects.toThrow(byDefault);
  },
  // Each command loads its part's modules first.
  90_000,
);
