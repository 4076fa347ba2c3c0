import { join } from "node:path";

/** A Slurm of one machine, for tests. */
export interface SlurmConfigOptions {
  folder: string;
  /** Of this machine, as `hostname -s` tells it. */
  hostName: string;
  /** Of the one node; two Slurms on a machine need two, for it is the name of a cgroup. */
  nodeName: string;
  controllerPort: number;
  nodePort: number;
  /** Whether the kernel is asked to hold jobs to their memory. */
  cgroups: boolean;
}

/** Many small jobs at once: more than any machine that runs tests has. Slurm is told to believe it. */
export const SLURM_CPUS = 64;
export const SLURM_GPUS = 4;

/** The files of a Slurm's configuration, by name. */
export function slurmConfig(options: SlurmConfigOptions): Record<string, string> {
  const { folder, hostName, nodeName, controllerPort, nodePort, cgroups } = options;
  const slurm = {
    ClusterName: "interlink",
    SlurmctldHost: `${hostName}(127.0.0.1)`,
    SlurmctldPort: controllerPort,
    SlurmdPort: nodePort,
    AuthType: "auth/munge",
    AuthInfo: `socket=${join(folder, "munge/socket")}`,
    CredType: "cred/munge",
    SlurmUser: "root",
    SlurmdUser: "root",
    StateSaveLocation: join(folder, "state"),
    SlurmdSpoolDir: join(folder, "spool"),
    SlurmctldPidFile: join(folder, "slurmctld.own.pid"),
    SlurmdPidFile: join(folder, "slurmd.own.pid"),
    ProctrackType: cgroups ? "proctrack/cgroup" : "proctrack/linuxproc",
    TaskPlugin: cgroups ? "task/cgroup" : "task/none",
    SelectType: "select/cons_tres",
    SelectTypeParameters: "CR_Core_Memory",
    // Without a default, a job that asks for no memory gets all that there is.
    DefMemPerCPU: 256,
    SlurmdParameters: "config_overrides",
    ReturnToService: 2,
    MinJobAge: 300,
    KillWait: 30,
    // Tests wait for nothing longer than they must.
    SchedulerParameters: "sched_min_interval=100000,batch_sched_delay=0,bf_interval=1",
    PreemptType: "preempt/partition_prio",
    PreemptMode: "REQUEUE",
    GresTypes: "gpu",
    MpiDefault: "none",
    AccountingStorageType: "accounting_storage/none",
    JobAcctGatherType: "jobacct_gather/linux",
    JobAcctGatherFrequency: 2,
  };
  const node = `NodeName=${nodeName} NodeHostname=${hostName} NodeAddr=127.0.0.1 CPUs=${SLURM_CPUS} RealMemory=64000 Gres=gpu:${SLURM_GPUS} State=UNKNOWN`;
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
      node,
      ...partitions,
    ]),
    "cgroup.conf": lines([
      "CgroupMountpoint=/sys/fs/cgroup",
      "CgroupAutomount=no",
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
