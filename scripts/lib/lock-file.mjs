// What package-lock.json must have besides what npm writes where it runs. npm leaves out the optional packages of other
// systems that its registry did not offer, and then `npm ci` refuses the file everywhere.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A sentence for each thing that is wrong with the lock file of the checkout at `root`; none when it serves every system
 * and names no registry.
 *
 * @param {string} root
 */
export function lockFileFaults(root) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return Object.entries(packages).flatMap(([place, entry]) => {
    const missing = Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => !found(packages, place, name),
    );
    return [
      ...missing.map(
        (name) =>
          `${place} may need ${name}, which has no entry: add one, or npm ci refuses the file`,
      ),
      ...(/^https?:/.test(entry.resolved ?? "")
        ? [`${place} names a registry: delete its "resolved"`]
        : []),
    ];
  });
}

/** As Node looks: beside the package, then beside each one that it lies in. */
function found(packages, place, name) {
  for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    if (packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (at === "") return false;
  }
}
