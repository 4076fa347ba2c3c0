import { expect, inject } from "vitest";
import { takeTurn } from "./take-turn.ts";
import { turnOf } from "./turn-of.ts";

// Before each test file: waits until no other uses what it uses. The process, and with it the turn, ends with the file.
await takeTurn(inject("turns"), turnOf(expect.getState().testPath ?? ""));
