import { connect, type Socket } from "node:net";
import type { Turn } from "./turns.ts";

/** Resolves when it is this process's turn, with what holds it: until its end, or that of the process. */
export async function takeTurn(address: string, turn: Turn): Promise<Socket> {
  const socket = connect(address);
  // What goes wrong closes it.
  socket.on("error", () => {});
  socket.write(`${JSON.stringify(turn)}\n`);
  const isOurs = await new Promise<boolean>((resolve) => {
    socket.once("data", () => resolve(true)).once("close", () => resolve(false));
  });
  if (!isOurs) throw new Error("The test run is over: nobody gives out turns any more.");
  // The turn is to keep no process alive.
  socket.unref();
  return socket;
}
