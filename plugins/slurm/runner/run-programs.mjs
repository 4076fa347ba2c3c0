// A small process of the plugin that runs programs for it. To start a program costs a process as much as it is large, and
// holds it up until the kernel has run the new one for the first time: here, not in the plugin.
//
// Gets  { id, program, words, env, cwd, maxBytes }   `maxBytes`: of stdout; or
//       { id, stop: true }                 kill it, with all that it has started
// tells { id, failed: { code, message } }  it could not be started; or
//       { id, code, by, stdout, stderr }   it has ended; `large` instead of stdout: it wrote too much.
import { spawn } from "node:child_process";

const MAX_WORDS = 4096;
const running = new Map();

// The plugin alone ends it: systemd signals all processes of a unit, and then programs are still to be run.
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {});
// What was started goes on.
process.on("disconnect", () => process.exit(0));

process.on("message", ({ id, stop, program, words, env, cwd, maxBytes }) => {
  if (stop) running.get(id)?.();
  else run(id, program, words, { env, cwd, maxBytes });
});

function run(id, program, words, { env, cwd, maxBytes }) {
  // A plugin that has gone by now needs to be told nothing.
  const tell = (what) => process.connected && process.send({ id, ...what }, () => {});
  const fail = ({ code, message }) => tell({ failed: { code, message } });
  let child;
  try {
    const stdio = ["ignore", "pipe", "pipe"];
    child = spawn(program, words, { cwd, env, stdio, detached: true });
  } catch (error) {
    // Some errors, as of an environment that is too large, are thrown at once.
    fail(error);
    return;
  }
  const kill = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
  };
  const pieces = [];
  let size = 0;
  let stderr = "";
  child.stdout.on("data", (piece) => {
    size += piece.length;
    if (size > maxBytes) kill();
    else pieces.push(piece);
  });
  child.stderr.on("data", (piece) => {
    stderr = (stderr + piece.toString("utf8")).slice(-MAX_WORDS);
  });
  child.once("error", (error) => {
    running.delete(id);
    fail(error);
  });
  if (child.pid === undefined) return;
  running.set(id, kill);
  child.once("close", (code, by) => {
    running.delete(id);
    const stdout = Buffer.concat(pieces).toString("utf8");
    tell({ code, by, stderr, ...(size > maxBytes ? { large: true } : { stdout }) });
  });
}
