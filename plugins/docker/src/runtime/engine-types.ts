/** The fields that are read of the Engine API's answers. */

/** `GET /containers/json`, one entry. */
export interface ContainerSummary {
  Id: string;
  Labels: Record<string, string> | null;
  /** created, running, paused, restarting, removing, exited or dead. */
  State: string;
}

/** `GET /containers/{id}/json`. */
export interface ContainerInspection {
  Id: string;
  State: {
    Status: string;
    ExitCode: number;
    OOMKilled: boolean;
    Error: string;
    StartedAt: string;
    FinishedAt: string;
  };
  HostConfig?: { Memory?: number; NetworkMode?: string };
  Config: { Tty: boolean; OpenStdin?: boolean; Labels: Record<string, string> | null };
  NetworkSettings?: {
    Networks?: Record<string, { IPAddress?: string; GlobalIPv6Address?: string }> | null;
  };
}

/** `GET /volumes`, one entry. */
export interface VolumeSummary {
  Name: string;
  Labels: Record<string, string> | null;
}

/** `GET /info`. */
export interface EngineInfo {
  NCPU: number;
  MemTotal: number;
  OSType?: string;
  /** `name=seccomp,profile=default`, `name=rootless` … */
  SecurityOptions?: string[] | null;
  /** On the engine's machine. */
  DockerRootDir?: string;
}
