import { resolve } from "node:path";
import { ceilQuantity } from "../pods/quantity.ts";
import type { CollectionRules } from "./collection-plan.ts";
import { parseReference } from "./reference.ts";

/** What an operator says about the images of the engine. */
export interface ImageSettings {
  /** Images that are made present at start, before any pod asks; they are never removed. */
  prePull?: readonly string[];
  /** A `config.json` of docker with the logins for these. */
  prePullSecrets?: string;
  /** `false`: images are never removed. */
  garbageCollection?: false | CollectionSettings;
}

/** When unused images are removed. The defaults are a kubelet's. */
export interface CollectionSettings {
  /** Use of the disk, in percent, at which images are removed. Default 85. */
  highPercent?: number;
  /** And down to which. Default 80. */
  lowPercent?: number;
  /** Images that were pulled or used so short a time ago stay. Default 120. */
  minAgeSeconds?: number;
  /** What images may take, as a quantity (`200Gi`); the percentages are then of this. Default: the engine's disk. */
  space?: string;
  /** Also images that this plugin did not pull. Default `false`. */
  others?: boolean;
}

export function collectionRules(settings: CollectionSettings): CollectionRules {
  const { highPercent = 85, lowPercent = 80, minAgeSeconds = 120, others = false } = settings;
  return { highPercent, lowPercent, minAgeMs: minAgeSeconds * 1000, others };
}

/** What is wrong with these settings, as a sentence without its subject; `undefined`: nothing. */
export function imageSettingsProblem(settings: ImageSettings): string | undefined {
  for (const image of settings.prePull ?? []) {
    if (parseReference(image) === undefined) {
      return `images.prePull has "${image}", which is not the name of an image.`;
    }
  }
  const { garbageCollection } = settings;
  if (garbageCollection === undefined || garbageCollection === false) return undefined;
  const { highPercent, lowPercent } = collectionRules(garbageCollection);
  if (lowPercent > highPercent) {
    return `images.garbageCollection removes images from ${highPercent} % of the disk down to ${lowPercent} %: lowPercent must not be above highPercent.`;
  }
  return spaceProblem(garbageCollection.space);
}

function spaceProblem(space: string | undefined): string | undefined {
  if (space === undefined) return undefined;
  try {
    if (ceilQuantity(space) > 0) return undefined;
  } catch {
    // Said below.
  }
  return `images.garbageCollection.space must be an amount of bytes such as 200Gi, not "${space}".`;
}

/** With absolute paths. */
export function resolvedImageSettings(settings: ImageSettings): ImageSettings {
  const { prePullSecrets } = settings;
  return {
    ...settings,
    ...(prePullSecrets !== undefined && { prePullSecrets: resolve(prePullSecrets) }),
  };
}
