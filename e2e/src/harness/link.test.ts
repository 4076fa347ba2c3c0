import { once } from "node:events";
import { type AddressInfo, createConnection, createServer } from "node:net";
import { expect, test } from "vitest";
import { Link } from "./link.ts";

async function echoServer() {
  const server = createServer((socket) => socket.pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

test("a link passes bytes, falls silent without a word when it is cut, and passes new connections when mended", async () => {
  const { server, port } = await echoServer();
  await using link = await Link.to("127.0.0.1", port);
  const dial = () => createConnection({ host: "127.0.0.1", port: link.port });
  const first = dial();
  first.write("one");
  expect(String((await once(first, "data"))[0])).toBe("one");

  link.cut();
  const heard: string[] = [];
  for (const name of ["data", "end", "close", "error"]) first.on(name, () => heard.push(name));
  first.write("two");
  const second = dial();
  await once(second, "connect");
  second.write("three");
  second.on("data", () => heard.push("second"));

  link.mend();
  const third = dial();
  third.write("four");
  expect(String((await once(third, "data"))[0])).toBe("four");
  expect(heard).toEqual([]);
  for (const socket of [first, second, third]) socket.destroy();
  server.close();
});
