import { amd64 } from "./amd64.ts";
import { arm64 } from "./arm64.ts";
import { assemble, type Piece } from "./assemble.ts";
import { type Architecture, elfFile, MEMORY_ADDRESS } from "./elf-file.ts";

/**
 * The program that carries a connection into a pod's network, in every sandbox beside the pause program: run by the
 * engine in the sandbox, it reaches what listens on the pod's loopback, wherever the engine is and whoever we are. A whole
 * ELF file of about 400 bytes. What it does, in C:
 *
 *     char in[65536], out[65536];
 *     if (read(0, in, 28) != 28) exit_group(EINVAL);            // a socket address, IPv4 or IPv6
 *     int s = socket(*(uint16_t *)in, SOCK_STREAM, 0);
 *     if (s < 0) exit_group(-s);
 *     if ((e = connect(s, in, 28)) < 0) exit_group(-e);         // refused: 111
 *     write(1, in, 1);                                          // one byte of any value: connected
 *     clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, 0, 0, 0, 0);
 *     // First thread: what comes from the peer. Its end is the end of the program.
 *     while ((n = read(s, out, 65536)) > 0) write(1, out, n);
 *     exit_group(-n);
 *     // Second thread, on the same stack, as neither uses it: what goes to the peer. The end of input is a half-close.
 *     while ((n = read(0, in, 65536)) > 0) if (sendto(s, in, n, MSG_NOSIGNAL, 0, 0) < 0) exit(0);
 *     shutdown(s, SHUT_WR); exit(0);
 *
 * Two threads, because one that waits until it can write must not keep the other direction waiting.
 */
export function relayBinary(architecture: Architecture): Buffer {
  return elfFile(architecture, assemble(architecture === "amd64" ? AMD64 : ARM64), 2 * BUFFER_SIZE);
}

/** What the program reads first: a `struct sockaddr_in` or `sockaddr_in6` of a port on loopback. */
export function loopbackAddress(family: "IPv4" | "IPv6", port: number): Buffer {
  const address = Buffer.alloc(ADDRESS_SIZE);
  address.writeUInt16LE(family === "IPv4" ? 2 : 10, 0); // AF_INET, AF_INET6
  address.writeUInt16BE(port, 2);
  if (family === "IPv4") address.set([127, 0, 0, 1], 4);
  else address[8 + 15] = 1; // ::1
  return address;
}

/** Of `struct sockaddr_in6`; a longer address than needed is fine for IPv4. */
const ADDRESS_SIZE = 28;
const BUFFER_SIZE = 0x10000;
const IN = MEMORY_ADDRESS;
const OUT = MEMORY_ADDRESS + BUFFER_SIZE;
const EINVAL = 22;
/** CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_THREAD, CLONE_SYSVSEM. */
const THREAD = 0x50f00;
const MSG_NOSIGNAL = 0x4000;

/** The socket is in ebx, which calls leave alone. */
const AMD64: readonly Piece[] = [
  ...amd64Call(0, { edi: 0, esi: IN, edx: ADDRESS_SIZE }), // read
  amd64.compareEax(ADDRESS_SIZE),
  amd64.move("edi", EINVAL),
  amd64.branch("notZero", "exit"),
  amd64.loadEdiFromRsi,
  ...amd64Call(41, { esi: 1, edx: 0 }), // socket
  amd64.testEax,
  amd64.branch("negative", "fail"),
  amd64.copy("ebx", "eax"),
  amd64.copy("edi", "ebx"),
  ...amd64Call(42, { esi: IN, edx: ADDRESS_SIZE }), // connect
  amd64.testEax,
  amd64.branch("negative", "fail"),
  ...amd64Call(1, { edi: 1, esi: IN, edx: 1 }), // write
  ...amd64Call(56, { edi: THREAD, esi: 0, edx: 0, r10d: 0, r8d: 0 }), // clone
  amd64.testEax,
  amd64.branch("zero", "to-peer"),
  amd64.branch("negative", "fail"),
  { here: "from-peer" },
  amd64.copy("edi", "ebx"),
  ...amd64Call(0, { esi: OUT, edx: BUFFER_SIZE }), // read
  amd64.testEax,
  amd64.branch("lessOrEqual", "fail"),
  amd64.copy("edx", "eax"),
  ...amd64Call(1, { edi: 1, esi: OUT }), // write
  amd64.jump("from-peer"),
  { here: "to-peer" },
  ...amd64Call(0, { edi: 0, esi: IN, edx: BUFFER_SIZE }), // read
  amd64.testEax,
  amd64.branch("lessOrEqual", "shut"),
  amd64.copy("edx", "eax"),
  amd64.copy("edi", "ebx"),
  ...amd64Call(44, { esi: IN, r10d: MSG_NOSIGNAL, r8d: 0, r9d: 0 }), // sendto
  amd64.testEax,
  amd64.branch("negative", "leave"),
  amd64.jump("to-peer"),
  { here: "shut" },
  amd64.copy("edi", "ebx"),
  ...amd64Call(48, { esi: 1 }), // shutdown
  { here: "leave" },
  ...amd64Call(60, { edi: 0 }), // exit: this thread
  { here: "fail" },
  amd64.negateEax,
  amd64.copy("edi", "eax"),
  { here: "exit" },
  ...amd64Call(231, {}), // exit_group
];

function amd64Call(
  number: number,
  values: Partial<Record<Parameters<typeof amd64.move>[0], number>>,
): Piece[] {
  const moves = Object.entries(values) as [Parameters<typeof amd64.move>[0], number][];
  return [
    ...moves.map(([register, value]) => amd64.move(register, value)),
    amd64.move("eax", number),
    amd64.call,
  ];
}

const SOCKET = 19;

const ARM64: readonly Piece[] = [
  arm64.move(0, 0),
  arm64.moveHigh(1, IN >> 16),
  arm64.move(2, ADDRESS_SIZE),
  ...arm64Call(63), // read
  arm64.compare(0, ADDRESS_SIZE),
  arm64.move(0, EINVAL),
  arm64.branch("ne", "exit"),
  arm64.loadHalf(0, 1),
  arm64.move(1, 1),
  arm64.move(2, 0),
  ...arm64Call(198), // socket
  arm64.compare(0, 0),
  arm64.branch("lt", "fail"),
  arm64.copy(SOCKET, 0),
  arm64.moveHigh(1, IN >> 16),
  arm64.move(2, ADDRESS_SIZE),
  ...arm64Call(203), // connect
  arm64.compare(0, 0),
  arm64.branch("lt", "fail"),
  arm64.move(0, 1),
  arm64.moveHigh(1, IN >> 16),
  arm64.move(2, 1),
  ...arm64Call(64), // write
  arm64.moveHigh(0, THREAD >> 16),
  arm64.keepHigh(0, THREAD & 0xffff),
  ...[1, 2, 3, 4].map((register) => arm64.move(register, 0)),
  ...arm64Call(220), // clone
  arm64.compare(0, 0),
  arm64.branch("eq", "to-peer"),
  arm64.branch("lt", "fail"),
  { here: "from-peer" },
  arm64.copy(0, SOCKET),
  arm64.moveHigh(1, OUT >> 16),
  arm64.moveHigh(2, BUFFER_SIZE >> 16),
  ...arm64Call(63), // read
  arm64.compare(0, 0),
  arm64.branch("le", "fail"),
  arm64.copy(2, 0),
  arm64.move(0, 1),
  ...arm64Call(64), // write
  arm64.branch("always", "from-peer"),
  { here: "to-peer" },
  arm64.move(0, 0),
  arm64.moveHigh(1, IN >> 16),
  arm64.moveHigh(2, BUFFER_SIZE >> 16),
  ...arm64Call(63), // read
  arm64.compare(0, 0),
  arm64.branch("le", "shut"),
  arm64.copy(2, 0),
  arm64.copy(0, SOCKET),
  arm64.move(3, MSG_NOSIGNAL),
  arm64.move(4, 0),
  arm64.move(5, 0),
  ...arm64Call(206), // sendto
  arm64.compare(0, 0),
  arm64.branch("lt", "leave"),
  arm64.branch("always", "to-peer"),
  { here: "shut" },
  arm64.copy(0, SOCKET),
  arm64.move(1, 1),
  ...arm64Call(210), // shutdown
  { here: "leave" },
  arm64.move(0, 0),
  ...arm64Call(93), // exit: this thread
  { here: "fail" },
  arm64.negate(0, 0),
  { here: "exit" },
  ...arm64Call(94), // exit_group
];

function arm64Call(number: number): Piece[] {
  return [arm64.move(8, number), arm64.call];
}
