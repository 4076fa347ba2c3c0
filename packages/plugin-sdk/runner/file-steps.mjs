// A thread of the plugin that makes steps with files, one after another: each by itself would cost the plugin a change of
// threads there and back, which is more than most steps cost. It, not the plugin, stands still on a slow file system.
//
// Gets a list of  { id, steps }   see FileStep in src/jobs/file-step.ts
//            or  { id, stat }    paths
// tells a list of  { id }        all have been made; or
//                  { id, failed: { code, syscall, path, message } }   the first that failed; those behind it have not been begun; or
//                  { id, stamps }  of each path a text that changes when the file does: null where there is none, an error's code
import fs from "node:fs";
import { parentPort } from "node:worker_threads";

/** There is next to never something of that name: to look first would cost a call each time. */
function named(path, anew, make) {
  try {
    return make();
  } catch (error) {
    if (!anew || error.code !== "EEXIST") throw error;
    fs.rmSync(path, { force: true });
    return make();
  }
}

function linked(path, to) {
  try {
    fs.linkSync(path, to);
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "EEXIST") throw error;
    // Not every file system has links, between directories, or so many of one file.
    fs.copyFileSync(path, to, fs.constants.COPYFILE_EXCL);
  }
}

const make = {
  directory({ path, mode, exact, known }) {
    try {
      fs.mkdirSync(path, { mode });
    } catch (error) {
      if (!known || error.code !== "EEXIST") throw error;
      return;
    }
    if (exact) fs.chmodSync(path, mode);
  },
  file({ path, content, mode, exact, anew, synced }) {
    const file = named(path, anew, () => fs.openSync(path, synced && !anew ? "w" : "wx", mode));
    try {
      fs.writeFileSync(file, content);
      if (exact) fs.fchmodSync(file, mode);
      if (synced) fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
  },
  link: ({ path, to, anew }) => named(to, anew, () => linked(path, to)),
  more({ path, content, synced }) {
    const file = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_APPEND);
    try {
      fs.writeFileSync(file, content);
      if (synced) fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
  },
  rename: ({ path, to }) => fs.renameSync(path, to),
  synced({ path }) {
    const directory = fs.openSync(path, "r");
    try {
      fs.fsyncSync(directory);
    } finally {
      fs.closeSync(directory);
    }
  },
};

function stampOf(path) {
  try {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? null : `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
  } catch ({ code }) {
    // Below a file there is nothing; of that, Node 24 tells by itself, Node 20 throws it.
    return code === "ENOTDIR" ? null : code;
  }
}

function answer({ id, steps, stat }) {
  try {
    for (const step of steps ?? []) make[step.make](step);
    return stat === undefined ? { id } : { id, stamps: stat.map(stampOf) };
  } catch ({ code, syscall, path, message }) {
    return { id, failed: { code, syscall, path, message } };
  }
}

parentPort.on("message", (requests) => parentPort.postMessage(requests.map(answer)));
