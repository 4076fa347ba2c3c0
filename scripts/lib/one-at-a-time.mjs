// One command at a time sets up this checkout; others wait. Plain JavaScript without dependencies: it runs before
// anything is installed.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/**
 * Does `act` while no other process holds the file `turn`, and gives its result. The file names the process; that of one
 * that has died is taken away.
 *
 * @template T
 * @param {string} turn
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
export async function oneAtATime(turn, act) {
  for (let told = false; !taken(turn); ) {
    const holder = text(turn);
    if (holder !== "" && !alive(Number(holder))) {
      release(turn, holder);
      continue;
    }
    if (!told && holder !== "") {
      process.stderr.write(`Waiting for process ${holder}, which sets up this checkout …\n`);
      told = true;
    }
    await wait(200);
  }
  const end = () => rmSync(turn, { force: true });
  process.once("exit", end);
  try {
    return await act();
  } finally {
    process.off("exit", end);
    end();
  }
}

function taken(turn) {
  try {
    writeFileSync(turn, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** What the file says; nothing when it is not there, or not yet written. */
function text(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return "";
    throw error;
  }
}

/** Take the file of a dead process away. Renamed first, so that of two who find it neither takes the other's new one. */
function release(turn, holder) {
  const aside = `${turn}.${process.pid}`;
  try {
    renameSync(turn, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  if (text(aside) === holder) rmSync(aside, { force: true });
  else renameSync(aside, turn);
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
