// npm run image [-- --tag NAME:TAG] [-- --base IMAGE|host] [-- --engine docker|podman]: the container image of all parts
// (deploy/image/Dockerfile). `--base host` makes the base of this machine's own Node and the libraries that it needs, so that
// nothing is pulled.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { ensureBuilt, root } from "./lib/setup.mjs";

const { version } = JSON.parse(readFileSync(join(root, "packages/cli/package.json"), "utf8"));
const { values } = parseArgs({
  options: {
    tag: { type: "string", default: `interlink:${version}` },
    base: { type: "string" },
    engine: { type: "string", default: "docker" },
  },
});

/** Standard output of a program that has to succeed. */
function output(command, args, options = {}) {
  const { status, error, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", 2],
    ...options,
  });
  if (status !== 0) {
    const why = error?.code === "ENOENT" ? `there is no ${command} on this machine` : "it failed";
    process.stderr.write(`${command} ${args.join(" ")}: ${why}.\n`);
    process.exit(1);
  }
  return stdout;
}

/** The command with all packages that it needs at run time; of our own, what npm would publish. */
function gatherPrograms(target) {
  const args = ["ls", "--omit=dev", "--parseable", "--all", "--workspace", "packages/cli"];
  const { stdout } = spawnSync("npm", args, { cwd: root, encoding: "utf8" });
  const packages = stdout.split("\n").filter((path) => path.includes("/node_modules/"));
  if (packages.length === 0) {
    process.stderr.write("npm ls names no packages: run npm install first.\n");
    process.exit(1);
  }
  for (const path of packages) {
    const place = join(target, relative(root, path));
    if (!path.includes("/node_modules/@interlink/")) {
      // What lies in a package of its own is listed by itself.
      const filter = (source) => !relative(path, source).split("/").includes("node_modules");
      cpSync(path, place, { recursive: true, filter });
      continue;
    }
    const { files = [] } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    mkdirSync(place, { recursive: true });
    for (const name of ["package.json", ...files]) {
      cpSync(join(path, name), join(place, name), { recursive: true, dereference: true });
    }
  }
}

/** This machine's Node with its libraries and certificates, as an image. */
function importHost(engine, directory) {
  const tree = join(directory, "base");
  const libraries = [...output("ldd", [process.execPath]).matchAll(/(\/\S+) \(0x/g)].map(
    ([, path]) => path,
  );
  const put = (from, to = from) => {
    mkdirSync(join(tree, dirname(to)), { recursive: true });
    cpSync(from, join(tree, to), { dereference: true });
  };
  put(process.execPath, "/usr/bin/node");
  for (const library of libraries) put(library);
  const certificates = "/etc/ssl/certs/ca-certificates.crt";
  if (existsSync(certificates)) put(certificates);
  mkdirSync(join(tree, "etc"), { recursive: true });
  mkdirSync(join(tree, "tmp"), { mode: 0o1777 });
  writeFileSync(join(tree, "etc/passwd"), "root:x:0:0::/:\nnonroot:x:65532:65532::/tmp:\n");
  writeFileSync(join(tree, "etc/group"), "root:x:0:\nnonroot:x:65532:\n");
  const archive = join(directory, "base.tar");
  output("tar", ["-C", tree, "--owner=0", "--group=0", "--numeric-owner", "-cf", archive, "."]);
  const change = "ENV PATH=/usr/local/bin:/usr/bin:/bin";
  output(engine, ["import", "--change", change, archive, "interlink-base:host"]);
  return "interlink-base:host";
}

await ensureBuilt({ product: true });
const directory = mkdtempSync(join(tmpdir(), "interlink-image-"));
try {
  const { engine, tag } = values;
  process.stderr.write("Gathering the programs …\n");
  const context = join(directory, "context");
  gatherPrograms(join(context, "interlink"));
  const base = values.base === "host" ? importHost(engine, directory) : values.base;
  const baseArguments = base === undefined ? [] : ["--build-arg", `BASE=${base}`];
  process.stderr.write(`Building ${tag} …\n`);
  const file = join(root, "deploy/image/Dockerfile");
  output(engine, ["build", "-t", tag, "-f", file, ...baseArguments, context], {
    stdio: ["ignore", 2, 2],
  });
  process.stdout.write(`${tag}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
