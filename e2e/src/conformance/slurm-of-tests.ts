import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { SlurmPlugin } from "../slurm/slurm-plugin.ts";
import type { SlurmSite } from "../systems/describe-system.ts";
import { BUSYBOX } from "../systems/images.ts";
import { publicFolder } from "../systems/public-folder.ts";

/** A Slurm plugin that has the image of the tests as a directory, as a site without a registry does. */
export async function slurmOfTests(site: SlurmSite) {
  const plugin = new SlurmPlugin(site, { ImagePrefix: `${imagesOf(site)}/` });
  await plugin.start();
  return {
    plugin: { name: "given", address: plugin.address } as const,
    restart: async () => {
      await plugin.kill9();
      await plugin.start();
    },
    stop: () => plugin[Symbol.asyncDispose](),
  };
}

/** A folder with the image under the names that pods give. */
function imagesOf({ apptainer }: SlurmSite): string {
  const images = publicFolder("images");
  for (const name of [BUSYBOX, "busybox"]) {
    try {
      symlinkSync(apptainer.image, join(images, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  return images;
}
