import { expect } from "vitest";
import type { EngineSystem } from "../systems/engine-system.ts";
import { makeBusyboxImage, pushImage, untagImage } from "../systems/images.ts";
import { REGISTRY_LOGIN } from "../systems/registry.ts";
import { dockerOfTests, withEngine } from "./images-of-tests.ts";
import { eventsOf, outputOf, waitingFor } from "./pod-helpers.ts";
import { SLURM_LIMITS } from "./slurm-limits.ts";
import type { Group } from "./suite.ts";

const OPTIONS = {
  notApplicable: { process: "The process plugin has no images.", slurm: SLURM_LIMITS.images },
};

/** Puts an image that says `text` into a registry, and not into the engine. */
async function publish(image: string, text: string, login = {}): Promise<void> {
  await withEngine(async (engine) => {
    await makeBusyboxImage(engine, image, [`CMD ["echo", "${text}"]`]);
    await pushImage(engine, image, login);
    await untagImage(engine, image);
  });
}

function registries(): Required<Pick<EngineSystem, "registry" | "lockedRegistry">> {
  const { registry, lockedRegistry } = dockerOfTests();
  if (registry === undefined || lockedRegistry === undefined) throw new Error("no registry");
  return { registry, lockedRegistry };
}

/** What the image itself runs. */
const OF_IMAGE = { command: undefined };

/** Behaviour 86. */
export const images: Group = (behaviour) => {
  behaviour(86, OPTIONS, async (site) => {
    const { lockedRegistry } = registries();
    const image = `${lockedRegistry}/conformance/private:latest`;
    await publish(image, "private", REGISTRY_LOGIN);
    const name = "private-image";
    await site.kubectl.run([
      "create",
      "secret",
      "docker-registry",
      name,
      `--docker-server=${lockedRegistry}`,
      `--docker-username=${REGISTRY_LOGIN.username}`,
      `--docker-password=${REGISTRY_LOGIN.password}`,
    ]);
    const spec = { imagePullSecrets: [{ name }] };
    expect(await outputOf(site, name, { image, container: OF_IMAGE, spec })).toBe("private\n");
    await withEngine((engine) => untagImage(engine, image));
    await site.createPod(`${name}-no`, { image, container: OF_IMAGE });
    await waitingFor(site, `${name}-no`, "ImagePullBackOff");
    await site.delete(`${name}-no`);
    await site.kubectl.run(["delete", "secret", name]);
  });

  behaviour(86, OPTIONS, async (site) => {
    const image = `${registries().registry}/no/such:tag`;
    await site.createPod("image-missing", { image });
    const never = { imagePullPolicy: "Never" };
    await site.createPod("image-never", { image, container: never });
    await site.createPod("image-name", { image: "Not/An:Image:Name" });
    expect(await waitingFor(site, "image-never", "ErrImageNeverPull")).toBe(
      `Container image "${image}" is not present with pull policy of Never`,
    );
    await waitingFor(site, "image-name", "InvalidImageName");
    expect(await waitingFor(site, "image-missing", "ImagePullBackOff")).toContain(image);
    expect((await eventsOf(site, "image-missing", "Failed")).join()).toContain("ErrImagePull");
    expect((await site.system.pod("image-missing"))?.status?.phase).toBe("Pending");
    await site.delete("image-missing", "image-never", "image-name");
    expect(await outputOf(site, "image-present", { command: "echo here", container: never })).toBe(
      "here\n",
    );
  });

  behaviour(86, OPTIONS, async (site) => {
    const image = `${registries().registry}/conformance/changing:latest`;
    await publish(image, "new");
    const run = (name: string, imagePullPolicy: string) =>
      outputOf(site, name, { image, container: { ...OF_IMAGE, imagePullPolicy } });
    // Another image of this name is in the engine.
    await withEngine((engine) => makeBusyboxImage(engine, image, ['CMD ["echo", "old"]']));
    expect(await run("pull-if-not-present", "IfNotPresent")).toBe("old\n");
    expect(await run("pull-always", "Always")).toBe("new\n");
    await withEngine((engine) => untagImage(engine, image));
  });
};
