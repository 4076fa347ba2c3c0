import type { Duplex, Readable, Writable } from "node:stream";

/**
 * Interactive streams: what may be asked of a peer that offers `exec`, `attach`, `port-forward`. Each is one WebSocket
 * per session on both hops, with the channels of Kubernetes' `v5.channel.k8s.io` (docs/protocol.md).
 */

/** A process in a container whose streams are wanted. The UID says which pod is meant; names are for people. */
export interface AttachRequest {
  Namespace: string;
  PodName: string;
  PodUID: string;
  ContainerName: string;
  Stdin: boolean;
  Stdout: boolean;
  /** Never together with `TTY`: a terminal has one output. */
  Stderr: boolean;
  TTY: boolean;
}

/** `GET /exec`: start a process in a running container. */
export interface ExecRequest extends AttachRequest {
  /** At least one element; argv, no shell. */
  Command: string[];
  /** Of the terminal when the process starts, if it is known by then. */
  Size?: TerminalSize;
}

/** `GET /port-forward`: one connection to a port in the pod's network. */
export interface PortForwardRequest {
  Namespace: string;
  PodName: string;
  PodUID: string;
  /** 1…65535. */
  Port: number;
}

/** An interactive stream that may be opened. */
export type InteractiveRequest =
  | { type: "exec"; request: ExecRequest }
  | { type: "attach"; request: AttachRequest }
  | { type: "port-forward"; request: PortForwardRequest };

/** Of a terminal, in characters. */
export interface TerminalSize {
  width: number;
  height: number;
}

/** How a process ended, or why its end cannot be told. */
export type ProcessEnd = { exitCode: number } | { error: string };

/**
 * The streams of one process, from the side that asked; the same shape at a plugin's runtime and at the node, however
 * many hops are between. All streams hold back who writes faster than the other side reads.
 */
export interface ProcessStreams {
  /** There if it was asked for. Ending it is the process's end of input. */
  readonly stdin?: Writable;
  /** There if it was asked for. Ends when everything was read. */
  readonly stdout?: Readable;
  readonly stderr?: Readable;
  /** Without a terminal: nothing happens. */
  resize(size: TerminalSize): void;
  /** Settles after the last byte of output was handed over; never rejects. A cut connection is an `error`. */
  readonly ended: Promise<ProcessEnd>;
  /** Lets go of the streams. An attached container goes on; an exec'd process loses its streams and terminal. */
  close(): void;
}

/** A connection into the pod: bytes both ways, half-close both ways. Destroyed with the error if it breaks. */
export type PortConnection = Duplex;
