import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BatchContainerSpec, BatchRuntime, BatchWord } from "@interlink/plugin-sdk";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apptainerRuntime } from "./apptainer-runtime.ts";
import { bindWords, fstabWords } from "./bind-words.ts";
import { enrootRuntime } from "./enroot-runtime.ts";
import type { PodRuntimeOptions } from "./runtime-options.ts";

const OPTIONS: PodRuntimeOptions = {
  command: ["nice", "/opt/bin/apptainer"],
  defaultOptions: ["--containall", "--no-eval"],
  podOptions: ["--fakeroot"],
  imagePrefix: "docker://",
  pullsBefore: false,
  bash: "/bin/bash",
  launcher: [],
  gpus: "none",
};
const spec = (rest: Partial<BatchContainerSpec> = {}): BatchContainerSpec => ({
  kind: "regular",
  container: { name: "main", image: "app:1" },
  env: [{ name: "SECRET", value: "s3cret" }],
  mounts: [],
  ...rest,
});
/** A word as a test reads it. */
const shown = (words: readonly BatchWord[]): string[] =>
  words.map((word) =>
    word
      .map((part) => {
        if (typeof part === "string") return part;
        if ("podPath" in part) return `{pod}/${part.podPath}`;
        if ("jobPath" in part) return `{job}/${part.jobPath}`;
        if ("podText" in part) return `{text of ${part.podText}}`;
        return "attemptPath" in part ? `{attempt}/${part.attemptPath}` : `{${part.attemptValue}}`;
      })
      .join(""),
  );
const run = (runtime: BatchRuntime, rest: Partial<BatchContainerSpec> = {}) =>
  shown(runtime.run(spec(rest)));

describe("apptainerRuntime", () => {
  it("runs the image's own entry point, or the pod's command", () => {
    const runtime = apptainerRuntime(OPTIONS);
    const before = ["nice", "/opt/bin/apptainer", "--silent"];
    expect(run(runtime, { args: ["-x", "$(y)"] })).toEqual([
      ...before,
      "run",
      "--containall",
      "--no-eval",
      "--no-init",
      "--workdir",
      "{attempt}/.",
      "--pwd",
      expect.stringMatching(/^\{text of images\/app_1-[0-9a-f]{16}\.sif\.workdir\}$/),
      "--fakeroot",
      expect.stringMatching(/^\{pod\}\/images\/app_1-[0-9a-f]{16}\.sif$/),
      "-x",
      "$(y)",
    ]);
    expect(run(runtime, { command: ["sh", "-c"], args: ["a b"] })).toEqual(
      expect.arrayContaining([...before, "exec", "sh", "-c", "a b"]),
    );
  });

  it("has no shell read the variables, whatever options the site has", () => {
    const plain = apptainerRuntime({ ...OPTIONS, defaultOptions: ["--containall"] });
    const exact = ["env", "APPTAINER_NO_EVAL=1", "SINGULARITY_NO_EVAL=1", "nice"];
    expect(run(plain).slice(0, 4)).toEqual(exact);
    expect(shown(plain.exec(spec(), ["x"])).slice(0, 4)).toEqual(exact);
    expect(run(apptainerRuntime(OPTIONS))[0]).toBe("nice");
  });

  it("runs files and directories as they are, and pulls nothing for them", () => {
    const runtime = apptainerRuntime(OPTIONS);
    const container = { name: "main", image: "/images/a b.sif" };
    expect(run(runtime, { container })).toContain("/images/a b.sif");
    expect(runtime.prepare?.(spec({ container }))).toEqual([]);
    expect(runtime.files?.(spec({ container }))).toEqual([]);
  });

  it("mounts volumes and the termination message, and starts in the working directory", () => {
    const words = run(apptainerRuntime(OPTIONS), {
      container: { name: "main", image: "/i.sif", workingDir: "/w" },
      mounts: [{ source: [{ podPath: "volumes/a" }], mountPath: "/a", readOnly: true }],
      terminationMessage: {
        source: [{ attemptPath: "termination-log" }],
        mountPath: "/w/message",
        readOnly: false,
      },
    }).join(" ");
    expect(words).toContain("--bind {pod}/volumes/a:/a:ro");
    expect(words).toContain("--bind {attempt}/termination-log:/w/message");
    expect(words).toContain("--pwd /w");
  });

  describe("with the termination message below /dev", () => {
    const terminationMessage = {
      source: [{ attemptPath: "termination-log" }],
      mountPath: "/dev/it's",
      readOnly: false,
    };
    const runtime = apptainerRuntime(OPTIONS);

    it("makes a link there, where a contained container takes no mounts", () => {
      const words = run(runtime, { terminationMessage }).join(" ");
      expect(words).toContain("--bind {attempt}/termination-log:/.interlink-termination-log");
      expect(words).toContain(
        "--bind {pod}/spec/main/termination-link:/.singularity.d/env/99-interlink.sh:ro",
      );
      const link = runtime
        .files?.(spec({ terminationMessage }))
        .find(({ path }) => path === "spec/main/termination-link");
      expect(Buffer.from(link?.content ?? []).toString()).toContain(
        String.raw`/bin/ln -sf /.interlink-termination-log '/dev/it'\''s' `,
      );
    });

    it("leaves directories alone, which may lack what the runtime hooks into", () => {
      const container = { name: "main", image: "/images/directory" };
      expect(run(runtime, { container, terminationMessage })).not.toContain("--bind");
      expect(runtime.files?.(spec({ container, terminationMessage }))).toEqual([]);
    });

    it("makes nothing in the machine's own /dev", () => {
      const open = apptainerRuntime({ ...OPTIONS, defaultOptions: ["--no-eval"] });
      expect(run(open, { terminationMessage })).not.toContain("--bind");
    });
  });

  describe("with a tunnel", () => {
    const library = "/opt/it.so";
    const runtime = apptainerRuntime({ ...OPTIONS, tunnelLibrary: library });
    const hookOf = (rest: Partial<BatchContainerSpec> = {}) =>
      runtime.files?.(spec(rest)).find(({ path }) => path === "spec/main/tsocks-hook");

    it("brings the library and its settings to containers of one file, and to no others", () => {
      const words = run(runtime).join(" ");
      expect(words).toContain("--bind /opt/it.so:/opt/it.so:ro");
      expect(words).toContain("--bind {job}/tsocks.conf:/.interlink-tsocks.conf:ro");
      expect(words).toContain(
        "--bind {pod}/spec/main/tsocks-hook:/.singularity.d/env/98-interlink-tsocks.sh:ro",
      );
      const container = { name: "main", image: "/images/directory" };
      expect(run(runtime, { container })).not.toContain("--bind");
      expect(hookOf({ container })).toBeUndefined();
    });

    it.each([
      [
        "loads the library where programs can take it",
        "exit 0",
        "",
        "libm.so.6/.interlink-tsocks.conf",
      ],
      ["leaves containers alone that cannot", "exit 127", "", ""],
      [
        "leaves containers alone whose loader only complains",
        "echo cannot be preloaded >&2",
        "",
        "",
      ],
      ["leaves alone what the pod itself has loaded", "exit 0", "/own.so", "/own.so"],
    ])("%s", async (_, body, own, expected) => {
      const folder = await mkdtemp(join(tmpdir(), "hook-"));
      try {
        await writeFile(join(folder, "true"), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
        const text = Buffer.from(hookOf()?.content ?? []).toString();
        // One that every loader finds.
        const hook = text
          .replaceAll(/(?:\/usr)?\/bin\/true/g, join(folder, "true"))
          .replaceAll(library, "libm.so.6");
        const said = execFileSync(
          "/bin/sh",
          ["-c", `${hook}\nprintf %s "\${LD_PRELOAD-}\${TSOCKS_CONF_FILE-}"`],
          {
            encoding: "utf8",
            env: { ...(own && { LD_PRELOAD: own }) },
            stdio: ["ignore", "pipe", "ignore"],
          },
        );
        expect(said).toBe(expected);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });

  it("leaves out only those variables whose names no shell can set", () => {
    const env = ["A_1", "a.b", "1c", "Ä"].map((name) => ({ name, value: "x" }));
    expect(run(apptainerRuntime(OPTIONS), { env }).slice(0, 5)).toEqual([
      "env",
      "--unset=APPTAINERENV_a.b",
      "--unset=APPTAINERENV_1c",
      "--unset=APPTAINERENV_Ä",
      "nice",
    ]);
  });

  it("never puts the environment on a command line", () => {
    const runtime = apptainerRuntime(OPTIONS);
    const all = [...runtime.run(spec()), ...runtime.exec(spec(), ["ls"])];
    expect(shown(all).join(" ")).not.toContain("s3cret");
    expect(runtime.exportPrefix).toBe("APPTAINERENV_");
    expect(apptainerRuntime({ ...OPTIONS, command: ["singularity"] }).exportPrefix).toBe(
      "SINGULARITYENV_",
    );
  });

  it.each<[string, PodRuntimeOptions["gpus"], string | undefined]>([
    ["nvidia.com/gpu", "none", "--nv"],
    ["amd.com/gpu", "none", "--rocm"],
    ["cpu", "nvidia", "--nv"],
    ["cpu", "none", undefined],
  ])("gives GPUs to a container with %s under %s: %s", (name, gpus, option) => {
    const container = { name: "main", image: "/i", resources: { limits: { [name]: "1" } } };
    const words = run(apptainerRuntime({ ...OPTIONS, gpus }), { container });
    expect(words.filter((word) => /^--(nv|rocm)$/.test(word))).toEqual(option ? [option] : []);
  });

  it("puts a launcher before regular containers only", () => {
    const runtime = apptainerRuntime({ ...OPTIONS, launcher: ["mpiexec", "-np", "4"] });
    expect(run(runtime).slice(0, 3)).toEqual(["mpiexec", "-np", "4"]);
    expect(run(runtime, { kind: "init" })[0]).toBe("nice");
  });
});

describe("enrootRuntime", () => {
  it("imports, creates and starts, with variables by name only", () => {
    const runtime = enrootRuntime(
      { ...OPTIONS, command: ["enroot"], defaultOptions: ["--rw"] },
      "u1",
    );
    const container = { name: "main", image: "host.example/app:1" };
    const prepared = runtime.prepare?.(spec({ container })).map(shown) ?? [];
    expect(prepared[0]).toEqual(
      expect.arrayContaining(["enroot", "import", "--output", "docker://host.example#app:1"]),
    );
    const name = expect.stringMatching(/^interlink-u1-[0-9a-f]{12}$/);
    expect(prepared[1]?.slice(0, 5)).toEqual(["enroot", "create", "--force", "--name", name]);
    const mounts = [{ source: ["/a b"], mountPath: "/c", readOnly: true }];
    expect(shown(runtime.run(spec({ container, mounts, command: ["x"], args: ["y z"] })))).toEqual([
      "enroot",
      "start",
      "--rw",
      "--env",
      "SECRET",
      "--mount",
      "/a\\040b /c none x-create=auto,rbind,ro",
      "--fakeroot",
      name,
      "x",
      "y z",
    ]);
  });
});

it("quotes a path for --mount as CSV is quoted", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.boolean(), (name, readOnly) => {
      const mountPath = `/${name}`;
      const [option, word] = shown(bindWords({ source: ["/src"], mountPath, readOnly }));
      if (option === "--bind") {
        expect(word).toBe(`/src:${mountPath}${readOnly ? ":ro" : ""}`);
        expect(mountPath).not.toMatch(/[,:\\"]/);
        return;
      }
      const fields = [...(word ?? "").matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
        ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare,
      );
      expect(fields).toEqual([
        "type=bind",
        "source=/src",
        `destination=${mountPath}`,
        ...(readOnly ? ["ro"] : []),
      ]);
    }),
  );
});

it("writes a mount for enroot in four fields, whatever the paths", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const [, line = ""] = shown(
        fstabWords({ source: [`/s${name}`], mountPath: `/m${name}`, readOnly: false }),
      );
      expect(line.split(/\s/)).toHaveLength(4);
    }),
  );
});

describe("the script that pulls", () => {
  const pull = async (policy: string, isThere: boolean, body: string) => {
    const root = await mkdtemp(join(tmpdir(), "pull-image-"));
    try {
      const script = join(root, "pull");
      const container = { name: "main", image: "a b$(x):1" };
      const [file] =
        apptainerRuntime(OPTIONS).files?.(spec({ container: { ...container, image: "a" } })) ?? [];
      await writeFile(script, file?.content ?? "");
      const tool = join(root, "tool");
      await writeFile(tool, `#!/bin/bash\n${body}`, { mode: 0o755 });
      if (isThere) await writeFile(join(root, "file.sif"), "old");
      const link = join(root, "pod", "image.sif");
      const words = [
        script,
        link,
        policy,
        root,
        "file.sif",
        "1",
        tool,
        "pull",
        "docker://$(touch x)",
      ];
      try {
        execFileSync("bash", ["-p", ...words], { stdio: "pipe", cwd: root });
      } catch (error) {
        return String((error as { stdout: Buffer }).stdout) || "failed";
      }
      const directory = await readFile(`${link}.workdir`, "utf8");
      return (await readFile(link, "utf8")) + (directory === "/\n" ? "" : ` in ${directory}`);
    } finally {
      await rm(root, { recursive: true });
    }
  };
  // As Apptainer lists what is in a file.
  const shows = (settings: string) =>
    `case "$2" in list) printf '%s\\n' 'ID   |GROUP   |LINK    |SIF POSITION (start-end)  |TYPE' \\
      '1    |1       |NONE    |32176-32217               |Def.FILE' \\
      '3    |1       |NONE    |36287-36388               |JSON.Generic' ;;
      dump) [[ $3 == 3 ]] && printf '%s' '${settings}' ;; esac`;
  const copy = 'printf "%s" "$1 $3" >"$2"';

  it.each([
    ["IfNotPresent", false, copy, "pull docker://$(touch x)"],
    ["IfNotPresent", true, copy, "old"],
    ["Always", true, copy, "pull docker://$(touch x)"],
    ["Never", true, copy, "old"],
    ["Always", true, "exit 3", "failed"],
    [
      "IfNotPresent",
      true,
      shows('{"User":"1","WorkingDir":"/usr/my $(touch x)"}'),
      "old in /usr/my $(touch x)\n",
    ],
    ["IfNotPresent", true, shows(String.raw`{"WorkingDir":"/a\\b"}`), "old"],
    ["IfNotPresent", true, shows('{"data":{"attributes":{"x":1}},"WorkingDir":"/no"}'), "old"],
  ])("with %s, an image there: %s, and a tool that does %j gives %j", async (...given) => {
    const [policy, isThere, body, expected] = given;
    expect(await pull(policy, isThere, body)).toBe(expected);
  });

  it("says that it must not pull", async () => {
    expect(await pull("Never", false, copy)).toContain("its pull policy is Never");
  });
});
