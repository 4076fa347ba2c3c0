// npm run systems -- up|down|status: the real systems of e2e/, for people.
import { ensureBuilt } from "./lib/setup.mjs";

await ensureBuilt();
const { systemsCommand } = await import("../e2e/dist/systems/main.js");
process.exitCode = await systemsCommand(process.argv.slice(2));
