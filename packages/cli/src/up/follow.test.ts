import type { Pod } from "kubernetes-types/core/v1.js";
import { describe, expect, test } from "vitest";
import { PodFollower } from "./follow.ts";
import type { Screen } from "./screen.ts";

function recordingScreen(): Screen & { lines: string[]; live: string } {
  return {
    lines: [],
    live: "",
    print(line) {
      this.lines.push(line);
    },
    busy(text) {
      this.live = text;
    },
    strong: (text) => text,
    faint: (text) => text,
    close() {},
  };
}

function running(restartCount: number): Pod {
  return {
    metadata: { name: "p", namespace: "default", uid: "u" },
    status: {
      phase: "Running",
      containerStatuses: [
        { name: "c", image: "", imageID: "", ready: true, restartCount, state: { running: {} } },
      ],
    },
  };
}

describe("following pods", () => {
  test("a line is printed when what a person sees changes, and only then", () => {
    const screen = recordingScreen();
    const follower = new PodFollower(screen, () => {});
    follower.changed({ metadata: { name: "p", uid: "u" } });
    follower.changed({ metadata: { name: "p", uid: "u", labels: { a: "b" } } });
    expect(screen.live).toBe("pod/p Pending");
    follower.changed(running(0));
    expect(screen.live).toBe("");
    follower.removed(running(0));
    expect(screen.lines).toEqual(["pod/p  Pending", "pod/p  Running", "pod/p  deleted"]);
  });

  test("the log of each attempt of a container is read once", () => {
    const started: string[] = [];
    const follower = new PodFollower(recordingScreen(), ({ key }) => started.push(key));
    for (const restartCount of [0, 0, 1, 1]) follower.changed(running(restartCount));
    expect(started).toEqual(["u/c/0", "u/c/1"]);
  });

  test("a missing image is told once, with what to do, however often the pull is tried again", () => {
    const screen = recordingScreen();
    const follower = new PodFollower(screen, () => {});
    const state = (reason: string) => ({ waiting: { reason, message: "no such image" } });
    const waiting = (reason: string): Pod => {
      const pod = running(0);
      for (const status of pod.status?.containerStatuses ?? []) status.state = state(reason);
      return pod;
    };
    for (const reason of ["ErrImagePull", "ImagePullBackOff", "ErrImagePull", "ImagePullBackOff"]) {
      follower.changed(waiting(reason));
    }
    expect(screen.lines).toEqual([
      "pod/p  ErrImagePull: no such image",
      expect.stringMatching(/Check the image's name.*docker pull.*--plugin process/),
    ]);
  });
});
