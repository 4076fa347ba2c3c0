import { join } from "node:path";

/** A Slurm of one machine, for tests. */
export interface SlurmConfigOptions {
  folder: string;
  /** Of this machine, as `hostname -s` tells it. */
  hostName: string;
  /** Two Slurms on a machine need other names, for they are names of cgroups. */
  nodes: readonly { name: string; port: number }[];
  controllerPort: number;
  /** Whether the kernel is asked to hold jobs to their memory. */
  cgroups: boolean;
  /** Jobs of one processor that run at once, for each node. Default {@link SLURM_CPUS}. */
  cpus?: number;
  /** Seconds that Slurm's daemons wait for each other. Default Slurm's own, 10. */
  messageTimeout?: number;
  /** Seconds for which slurmctld remembers ended jobs. Default 300. */
  minJobAge?: number;
  /** Port of slurmdbd, in a Slurm with accounting. */
  accountingPort?: number;
  /** Folder of Slurm's plugins, if not the machine's own. */
  plugins?: string;
}

/** Many small jobs at once: more than any machine that runs tests has. Slurm is told to believe it. */
export const SLURM_CPUS = 64;
export const SLURM_GPUS = 4;
export const CLUSTER = "interlink";

/** The files of a Slurm's configuration, by name. */
export function slurmConfig(options: SlurmConfigOptions): Record<string, string> {
  const { folder, hostName, nodes, controllerPort, cgroups, accountingPort, plugins } = options;
  const { cpus = SLURM_CPUS, minJobAge = 300, messageTimeout } = options;
  const slurm = {
    ClusterName: CLUSTER,
    SlurmctldHost: `${hostName}(127.0.0.1)`,
    SlurmctldPort: controllerPort,
    AuthType: "auth/munge",
    AuthInfo: `socket=${join(folder, "munge/socket")}`,
    CredType: "cred/munge",
    SlurmUser: "root",
    SlurmdUser: "root",
    StateSaveLocation: join(folder, "state"),
    SlurmdSpoolDir: join(folder, "spool-%n"),
    SlurmctldPidFile: join(folder, "slurmctld.own.pid"),
    SlurmdPidFile: join(folder, "slurmd-%n.own.pid"),
    ProctrackType: cgroups ? "proctrack/cgroup" : "proctrack/linuxproc",
    TaskPlugin: cgroups ? "task/cgroup" : "task/none",
    SelectType: "select/cons_tres",
    SelectTypeParameters: "CR_Core_Memory",
    // Without a default, a job that asks for no memory gets all that there is.
    DefMemPerCPU: 256,
    SlurmdParameters: "config_overrides",
    ReturnToService: 2,
    MinJobAge: minJobAge,
    KillWait: 30,
    ...(messageTimeout === undefined ? {} : { MessageTimeout: messageTimeout }),
    // Tests wait for nothing longer than they must.
    SchedulerParameters: "sched_min_interval=100000,batch_sched_delay=0,bf_interval=1",
    PreemptType: "preempt/partition_prio",
    PreemptMode: "REQUEUE",
    GresTypes: "gpu",
    MpiDefault: "none",
    ...(accountingPort === undefined
      ? { AccountingStorageType: "accounting_storage/none" }
      : {
          AccountingStorageType: "accounting_storage/slurmdbd",
          AccountingStorageHost: "127.0.0.1",
          AccountingStoragePort: accountingPort,
          AccountingStoragePass: join(folder, "munge/socket"),
          AccountingStoreFlags: "job_comment",
        }),
    ...(plugins === undefined ? {} : { PluginDir: plugins }),
    JobAcctGatherType: "jobacct_gather/linux",
    JobAcctGatherFrequency: 2,
  };
  const declared = nodes.map(
    ({ name, port }) =>
      `NodeName=${name} NodeHostname=${hostName} NodeAddr=127.0.0.1 Port=${port} CPUs=${cpus} RealMemory=64000 Gres=gpu:${SLURM_GPUS} State=UNKNOWN`,
  );
  const partitions = [
    "PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
    "PartitionName=short Nodes=ALL MaxTime=5 State=UP",
    "PartitionName=drained Nodes=ALL MaxTime=INFINITE State=DRAIN",
    "PartitionName=low Nodes=ALL MaxTime=INFINITE PriorityTier=1 PreemptMode=CANCEL State=UP",
    "PartitionName=urgent Nodes=ALL MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF State=UP",
  ];
  return {
    "slurm.conf": lines([
      ...Object.entries(slurm).map(([name, value]) => `${name}=${value}`),
      ...declared,
      ...partitions,
    ]),
    "cgroup.conf": lines([
      "CgroupMountpoint=/sys/fs/cgroup",
      "CgroupPlugin=cgroup/v1",
      "ConstrainRAMSpace=yes",
      "ConstrainCores=no",
    ]),
    // Any file does for a device: nothing opens it.
    "gres.conf": lines([`Name=gpu File=${join(folder, `gpu[0-${SLURM_GPUS - 1}]`)}`]),
    ...Object.fromEntries(Array.from({ length: SLURM_GPUS }, (_, gpu) => [`gpu${gpu}`, ""])),
  };
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
