// A thread of the plugin that starts processes: it, not the plugin, stands still until each new process has begun.
//
// Gets  { id, file, args, cwd, env, log }   `log`: file descriptor for stdout and stderr
// tells { id, failed: { code, message } }   it could not be started; or
//       { id, spawned: true }               and then
//       { id, ended: true }                 when it has ended.
import { spawn } from "node:child_process";
import { parentPort } from "node:worker_threads";

parentPort.on("message", ({ id, file, args, cwd, env, log }) => {
  const tell = (what) => parentPort.postMessage({ id, ...what });
  const fail = ({ code, message }) => tell({ failed: { code, message } });
  try {
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ["ignore", log, log] });
    child.unref();
    child.once("error", fail);
    child.once("spawn", () => tell({ spawned: true }));
    child.once("exit", () => tell({ ended: true }));
  } catch (error) {
    // Some errors, as of an environment that is too large, are thrown at once.
    fail(error);
  }
});
