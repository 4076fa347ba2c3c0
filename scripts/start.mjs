// npm start [-- arguments]: set up what is missing, then `interlink up examples/hello.yaml`.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, root } from "./lib/setup.mjs";

await ensureBuilt({ product: true });
const given = process.argv.slice(2);
process.argv = [
  process.argv[0],
  join(root, "packages/cli/dist/main.js"),
  ...(given.length > 0 ? given : ["up", join(root, "examples/hello.yaml")]),
];
await import(pathToFileURL(process.argv[1]).href);
