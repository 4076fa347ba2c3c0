/** The first name in one of Slurm's lists of nodes, e.g. of `n[03-7,9],m1`. `undefined`: it names none. */
export function firstNode(list: string): string | undefined {
  const found = /^([A-Za-z0-9._-]+)(?:\[(\d+)[^\]]*\]([A-Za-z0-9._-]*))?/.exec(list);
  if (found === null) return undefined;
  const [, name = "", number = "", rest = ""] = found;
  return `${name}${number}${rest}`;
}

/** Reads `scontrol show node NAME`: where the node is reached. `undefined`: it is not told. */
export function parseNodeAddress(output: string): string | undefined {
  const address = /^\s+NodeAddr=(\S+)/m.exec(output)?.[1];
  return address === "(null)" ? undefined : address;
}
