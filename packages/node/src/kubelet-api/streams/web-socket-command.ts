import type { ProcessEnd } from "@interlink/protocol";
import type { WebSocket } from "ws";
import { ChannelSocket } from "./channel-socket.ts";
import type { CommandChannels } from "./command-channels.ts";
import type { CommandOptions } from "./command-options.ts";
import { endMessage } from "./end-message.ts";
import type { WebSocketProtocol } from "./protocols.ts";

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 };

/** Synchronously after the opening. Says at once, by an empty message, that the streams are there. */
export function webSocketCommand(
  webSocket: WebSocket,
  protocol: WebSocketProtocol,
  options: CommandOptions,
): CommandChannels {
  const socket = new ChannelSocket(webSocket, protocol);
  const { stdin, stdout, stderr, tty } = options;
  const channels: CommandChannels = {
    stdin: stdin ? socket.reader(CHANNEL.stdin) : undefined,
    stdout: stdout ? socket.writer(CHANNEL.stdout) : undefined,
    stderr: stderr ? socket.writer(CHANNEL.stderr) : undefined,
    resize: tty ? socket.reader(CHANNEL.resize) : undefined,
    closed: socket.closed,
    destroy: () => socket.destroy(),
    async finish(end: ProcessEnd) {
      const message = endMessage(end, protocol.version);
      if (message !== "") await socket.send(CHANNEL.error, Buffer.from(message));
      await socket.close();
    },
  };
  const lowest = stdout ? CHANNEL.stdout : stderr ? CHANNEL.stderr : CHANNEL.error;
  void socket.send(lowest, Buffer.alloc(0));
  socket.start();
  return channels;
}
