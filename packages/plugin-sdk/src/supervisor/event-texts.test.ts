import { expect, test } from "vitest";
import { eventTexts } from "./event-texts.ts";

test("an image name that is none is told once, in the words of the container's state", () => {
  const words =
    'Failed to apply default image tag "a/b:c/d": couldn\'t parse image name "a/b:c/d": invalid reference format';
  const [inspect] = eventTexts.imageFailed("c", "a/b:c/d", "InvalidImageName", words);
  expect(inspect).toMatchObject({ reason: "InspectFailed", message: words });
});
