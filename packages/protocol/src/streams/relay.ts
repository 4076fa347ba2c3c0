import type { MessageSocket, SocketEnd } from "./message-socket.ts";

/** Above: the sender is held; below: it goes on. */
const HIGH_BYTES = 512 * 1024;
const LOW_BYTES = 128 * 1024;
/** For the other side to answer a close when one side has broken. */
const CLOSE_MS = 5_000;

/**
 * Joins two sockets: every message goes on as it is, no faster than it is read, and each side ends as the other did.
 * Resolves with the callee's end when both have closed. Never rejects.
 */
export async function relay(caller: MessageSocket, callee: MessageSocket): Promise<SocketEnd> {
  handOn(caller, callee);
  handOn(callee, caller);
  caller.onClosed((end) => {
    // Nobody is left to read what is still on its way; what the callee was sent may have to be worked through.
    if (end.clean) callee.close(end.code, end.reason, CLOSE_MS);
    else callee.close(1001, "the caller has left", CLOSE_MS);
  });
  const end = await callee.closed;
  if (end.clean) caller.close(end.code, end.reason);
  else caller.close(1011, `the connection behind it broke: ${end.reason}`);
  await caller.closed;
  return end;
}

function handOn(from: MessageSocket, to: MessageSocket): void {
  let waiting = 0;
  from.listen((message) => {
    waiting += message.length;
    if (waiting > HIGH_BYTES) from.hold();
    to.send(message, () => {
      waiting -= message.length;
      if (waiting < LOW_BYTES) from.release();
    });
  });
}
