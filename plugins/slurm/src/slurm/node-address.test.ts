import { describe, expect, it, test } from "vitest";
import { firstNode, parseNodeAddress } from "./node-address.ts";

test.each([
  ["n1", "n1"],
  ["n1,n2", "n1"],
  ["n[03-7,9],m1", "n03"],
  ["rack1-n[1-4]-ib", "rack1-n1-ib"],
  ["gpu.site.example", "gpu.site.example"],
  ["", undefined],
  ["(null)", undefined],
])("the first node of %j is %j", (list, node) => {
  expect(firstNode(list)).toBe(node);
});

describe("parseNodeAddress", () => {
  // As Slurm 22.05 and 23.11 write it.
  it("finds where a node is reached", () => {
    const output =
      "NodeName=n1 Arch=x86_64 CoresPerSocket=1 \n   CPUAlloc=0 CPUTot=1\n   NodeAddr=10.0.0.7 NodeHostName=login Version=22.05.8\n   OS=Linux\n";
    expect(parseNodeAddress(output)).toBe("10.0.0.7");
  });

  it("finds none where Slurm tells none", () => {
    expect(parseNodeAddress("NodeName=n1\n   NodeAddr=(null)\n")).toBeUndefined();
    expect(parseNodeAddress("Node n1 not found\n")).toBeUndefined();
  });
});
