import { describe, test } from "vitest";
import { behaviourOf } from "./behaviours.ts";
import { testTitle } from "./page.ts";
import type { PluginName } from "./plugins.ts";
import type { Site } from "./site.ts";

/** Which Kubernetes the test is run on. */
export type ClusterKind = "real" | "embedded";

export interface BehaviourOptions {
  /** Why it does not apply to a plugin, as a sentence for the page. */
  notApplicable?: Partial<Record<PluginName, string>>;
  /** What the page should say about the test, for instance a part that is left out, and why. */
  note?: Partial<Record<PluginName, string>>;
  /** The feature is younger than the real cluster, which is 1.20: tested on the embedded one. */
  sinceVersion?: string;
  /** It would disturb others, so it is run while no other is. */
  alone?: boolean;
  timeoutMs?: number;
}

/** Declares the test of one behaviour; several may be about the same one. */
export type Declare = (
  id: number,
  options: BehaviourOptions,
  run: (site: Site) => Promise<void>,
) => void;

/** Tests of one group of behaviours. */
export type Group = (behaviour: Declare) => void;

interface Declared {
  id: number;
  options: BehaviourOptions;
  run: (site: Site) => Promise<void>;
}

/** Makes tests of all behaviours for one plugin: side by side, except those that have to be alone. */
export function declareBehaviours(
  plugin: PluginName,
  groups: readonly Group[],
  site: (kind: ClusterKind) => Site,
): void {
  const declared: Declared[] = [];
  for (const group of groups) group((id, options, run) => void declared.push({ id, options, run }));
  const make = ({ id, options, run }: Declared): void => {
    const { notApplicable = {}, note = {}, sinceVersion, timeoutMs = 120_000 } = options;
    const { title } = behaviourOf(id);
    const why = notApplicable[plugin];
    if (why !== undefined) {
      test.skip(testTitle(id, title, why, false));
      return;
    }
    const since =
      sinceVersion === undefined
        ? undefined
        : `Kubernetes has this since ${sinceVersion}: tested on the embedded cluster.`;
    const notes = [since, note[plugin]].filter((one) => one !== undefined).join(" ");
    const kind: ClusterKind = sinceVersion === undefined ? "real" : "embedded";
    test(
      testTitle(id, title, notes === "" ? undefined : notes, true),
      () => run(site(kind)),
      timeoutMs,
    );
  };
  describe.concurrent("side by side", () => {
    for (const one of declared.filter(({ options }) => options.alone !== true)) make(one);
  });
  describe("one at a time", () => {
    for (const one of declared.filter(({ options }) => options.alone === true)) make(one);
  });
}
