import { expect, it } from "vitest";
import { splitMesh } from "./mesh.ts";

const BEGIN = "cat <<'EOFMESH' > $TMPDIR/mesh.sh\n";

it.each<[string, { mesh?: string; rest: string }]>([
  ["module load x", { rest: "module load x" }],
  [`${BEGIN}#!/bin/sh\n"$@"\nEOFMESH\n`, { mesh: '#!/bin/sh\n"$@"\n', rest: "\n" }],
  // The virtual node puts its own before what the user has there, with nothing between.
  [`${BEGIN}a\nEOFMESHmodule load x`, { mesh: "a\n", rest: "module load x" }],
  [`first\n${BEGIN}a\nb EOFMESH\nEOFMESH\nlast`, { mesh: "a\nb EOFMESH\n", rest: "first\n\nlast" }],
  [`${BEGIN}never closed`, { rest: `${BEGIN}never closed` }],
])("finds the script of a mesh in %j", (text, split) => {
  expect(splitMesh(text)).toEqual(split);
});
