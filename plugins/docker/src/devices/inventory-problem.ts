import type { DeviceSetting } from "./inventory.ts";

/** What would give a device to two pods, or to none, as a sentence; `undefined`: nothing. */
export function inventoryProblem(settings: readonly DeviceSetting[]): string | undefined {
  const resources = new Set<string>();
  /** What is given, to whom. */
  const given = new Map<string, string>();
  for (const { resource, kind = "nodes", units } of settings) {
    if (resources.has(resource)) return `devices has ${resource} twice; put its units together.`;
    resources.add(resource);
    if (units === undefined && kind === "nodes") {
      return `devices says nothing of the units of ${resource}; only those of kind nvidia, amd and cdi are found without.`;
    }
    for (const { id, devices = [] } of units ?? []) {
      const unit = `${resource} ${id}`;
      // Units of one kind are the same thing under any resource; a CDI name and an index are not known to be.
      const things = kind === "nvidia" || kind === "cdi" ? [`${kind} ${id}`] : [unit];
      for (const thing of [...things, ...new Set(devices)]) {
        const other = given.get(thing);
        if (other === unit) return `devices lists ${unit} twice; it would be given to two pods.`;
        if (other !== undefined) {
          const what = devices.includes(thing) ? thing : id;
          return `devices lists ${what} for both ${other} and ${unit}; it would be given to two pods. What all units need is "shared".`;
        }
        given.set(thing, unit);
      }
    }
  }
  const found = settings.filter(({ units }) => units === undefined).map(({ kind }) => kind);
  const twice = found.find((kind, index) => kind !== "cdi" && found.indexOf(kind) !== index);
  return twice === undefined
    ? undefined
    : `devices has two resources that both take all that is found of kind ${twice}; list the units of each.`;
}
