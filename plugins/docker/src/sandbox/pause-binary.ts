import { amd64 } from "./amd64.ts";
import { arm64 } from "./arm64.ts";
import { assemble, int32, type Piece } from "./assemble.ts";
import { type Architecture, elfFile } from "./elf-file.ts";

/**
 * The program that holds a pod's namespaces open, as a whole ELF file of less than 300 bytes made here: no compiler, no
 * registry and no file of this package is needed on a user's machine. What it does, in C:
 *
 *     uint64_t set = SIGINT | SIGTERM | SIGCHLD;        // bit n-1 for signal n
 *     rt_sigprocmask(SIG_BLOCK, &set, NULL, 8);         // blocked signals reach even a process 1
 *     for (;;) {
 *       int signal = rt_sigtimedwait(&set, NULL, NULL, 8);
 *       if (signal < 0) continue;                       // interrupted
 *       if (signal != SIGCHLD) exit(0);
 *       while (wait4(-1, NULL, WNOHANG, NULL) > 0);     // shareProcessNamespace: we are everyone's process 1
 *     }
 */
export function pauseBinary(architecture: Architecture): Buffer {
  const code = assemble([
    ...(architecture === "amd64" ? AMD64 : ARM64),
    { here: "set" },
    int32(SIGNAL_SET),
    int32(0),
  ]);
  return elfFile(architecture, code);
}

const SIGCHLD = 17;
const SIGNAL_SET = (1 << (2 - 1)) | (1 << (15 - 1)) | (1 << (SIGCHLD - 1));

const AMD64: readonly Piece[] = [
  amd64.move("edi", 0), // SIG_BLOCK
  amd64.address("rsi", "set"),
  amd64.move("edx", 0),
  amd64.move("r10d", 8),
  amd64.move("eax", 14), // rt_sigprocmask
  amd64.call,
  { here: "wait" },
  amd64.address("rdi", "set"),
  amd64.move("esi", 0),
  amd64.move("edx", 0),
  amd64.move("r10d", 8),
  amd64.move("eax", 128), // rt_sigtimedwait
  amd64.call,
  amd64.testEax,
  amd64.branch("negative", "wait"),
  amd64.compareEax(SIGCHLD),
  amd64.branch("notZero", "exit"),
  { here: "reap" },
  amd64.move("edi", -1), // any child
  amd64.move("esi", 0),
  amd64.move("edx", 1), // WNOHANG
  amd64.move("r10d", 0),
  amd64.move("eax", 61), // wait4
  amd64.call,
  amd64.testEax,
  amd64.branch("greater", "reap"),
  amd64.jump("wait"),
  { here: "exit" },
  amd64.move("edi", 0),
  amd64.move("eax", 60), // exit
  amd64.call,
];

const ARM64: readonly Piece[] = [
  arm64.move(0, 0), // SIG_BLOCK
  arm64.address(1, "set"),
  arm64.move(2, 0),
  arm64.move(3, 8),
  arm64.move(8, 135), // rt_sigprocmask
  arm64.call,
  { here: "wait" },
  arm64.address(0, "set"),
  arm64.move(1, 0),
  arm64.move(2, 0),
  arm64.move(3, 8),
  arm64.move(8, 137), // rt_sigtimedwait
  arm64.call,
  arm64.compare(0, 0),
  arm64.branch("lt", "wait"),
  arm64.compare(0, SIGCHLD),
  arm64.branch("ne", "exit"),
  { here: "reap" },
  arm64.moveInverted(0, 0), // -1: any child
  arm64.move(1, 0),
  arm64.move(2, 1), // WNOHANG
  arm64.move(3, 0),
  arm64.move(8, 260), // wait4
  arm64.call,
  arm64.compare(0, 0),
  arm64.branch("gt", "reap"),
  arm64.branch("always", "wait"),
  { here: "exit" },
  arm64.move(0, 0),
  arm64.move(8, 93), // exit
  arm64.call,
];
