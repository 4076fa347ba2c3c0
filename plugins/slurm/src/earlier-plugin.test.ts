import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const SDK = "packages/plugin-sdk/src";
const OWN = "plugins/slurm/src";
const REAL = "e2e/src/slurm";
const CONTRACT = `${SDK}/testing/describe-provider.ts`;
const PROVIDER = `${OWN}/provider/slurm-provider.test.ts`;
const FAULTS = `${OWN}/provider/faults.test.ts`;
const PARSERS = `${OWN}/slurm/parsers.test.ts`;
const RELEASES = `${OWN}/slurm/releases.test.ts`;
const RUNTIMES = `${OWN}/runtime/runtimes.test.ts`;
const ARGUMENTS = `${OWN}/submit/sbatch-arguments.test.ts`;
const HOSTILE = `${SDK}/batch/hostile.property.test.ts`;
const BYTE_FOR_BYTE =
  "no shell interprets anything of a pod: argv, environment and volumes arrive byte for byte by $how";

/**
 * What the earlier interLink Slurm plugin gets wrong (numbered as in a study of it), told as what this one does, and the
 * test that would fail if it did not. A number without a test says why it needs none.
 */
const DEFECTS: readonly [number: string, does: string, file?: string, title?: string][] = [
  // Correctness of results.
  [
    "W1",
    "ships all volumes where nothing is shared",
    `${REAL}/packed.test.ts`,
    "takes secrets along where nobody else sees them, and leaves nothing",
  ],
  [
    "W2",
    "tells each pod its own status, whoever else asks",
    CONTRACT,
    "of several pods comes in one answer, without those that are unknown",
  ],
  [
    "W3",
    "knows all states of Slurm by whole words",
    `${OWN}/slurm/job-state.test.ts`,
    "knows %s as %s, which is %s",
  ],
  [
    "W4",
    "takes exit codes from records, and from no column that changed with a release",
    RELEASES,
    "tells the same of each job by scontrol",
  ],
  [
    "W5",
    "gives a pod without limits its flavor's CPUs and memory",
    ARGUMENTS,
    "the flavor's where nobody else says",
  ],
  [
    "W6",
    "adds up what runs together, in exact units",
    `${OWN}/submit/pod-resources.test.ts`,
    "never gives less than the containers that run together ask for",
  ],
  [
    "W7",
    "lets a pod's own resources stand above its flavor's",
    ARGUMENTS,
    "the flavor's memory beside the pod's CPUs",
  ],
  [
    "W8",
    "refuses a pod whose volume it cannot provide",
    `${SDK}/batch/plan-batch-pod.test.ts`,
    "a volume is not provided",
  ],
  [
    "W9",
    "writes projected files below directories",
    `${SDK}/volumes/plan-volumes.test.ts`,
    "the virtual node's files, with the modes of the pod's items",
  ],
  [
    "W10",
    "keeps subPath, items, optional, binary data and modes",
    `${SDK}/volumes/prepare-volumes.test.ts`,
    "give single keys by subPath as files",
  ],
  ["W11", "changes no byte of a value", HOSTILE, BYTE_FOR_BYTE],
  [
    "W12",
    "has logs of init containers",
    `${OWN}/provider/log-attempt.test.ts`,
    "finds the attempt of a container %s",
  ],
  [
    "W13",
    "keeps what the script says out of containers' logs",
    `${REAL}/kubectl.test.ts`,
    "runs a pod as a job of the ordinary user, and sees its log and its end",
  ],
  [
    "W14",
    "cuts logs as kubectl asks",
    `${SDK}/logs/read-log.test.ts`,
    "equal those of a naive reader for any bytes, timeline and options",
  ],
  [
    "W15",
    "tells each container's own state, init containers and the job's id included",
    CONTRACT,
    "init containers run one after another, before the others",
  ],
  [
    "W16",
    "tells a container that is not ready as running",
    `${SDK}/batch/batch-probes.test.ts`,
    "a container is started when its startup probe succeeds, and ready when its readiness probe does",
  ],
  [
    "W17",
    "tells when a container began and ended, not when somebody looked",
    `${OWN}/provider/observer.test.ts`,
    "opens the records of a job that has ended, whatever age their file system says they have",
  ],
  [
    "W18",
    "survives that Slurm forgets a job",
    `${OWN}/provider/observer.test.ts`,
    "asks Slurm for a job that its queue has forgotten, and lets the records tell how it ended",
  ],
  [
    "W19",
    "counts a container's end once",
    `${SDK}/batch/fold-records.test.ts`,
    "count each line once, however often it was written",
  ],
  [
    "W20",
    "asks once for all jobs, with a deadline, whatever is greeted on stderr",
    FAULTS,
    "that greets on stderr with each command is no other one",
  ],
  [
    "W21",
    "starts the processes of MPI",
    `${REAL}/accounting.test.ts`,
    "starts the processes of MPI on several nodes",
  ],
  [
    "W22",
    "keeps deadlines, GPUs, restart policies and requeued jobs",
    `${REAL}/accounting.test.ts`,
    "runs a job again that Slurm has put back into its queue, and tells that it waits",
  ],
  // Crashes, races, lost state.
  [
    "W23",
    "makes each pod's script from that pod alone: a pure function without state",
    `${OWN}/pods/job-script.test.ts`,
    "claims the pod for its job and runs it",
  ],
  [
    "W24",
    "has one writer for each pod at a time",
    `${SDK}/jobs/open-job-store.test.ts`,
    "writers for one UID are put in line and none is lost",
  ],
  [
    "W25",
    "takes a delete of a pod that it does not know",
    PROVIDER,
    "buries a pod that never came",
  ],
  [
    "W26",
    "finds the job of an sbatch that told no id it understands",
    PARSERS,
    "finds the job's id in %j: %s",
  ],
  ["W27", "judges sbatch by its exit code", PROVIDER, "takes a greeting of the site for no error"],
  [
    "W28",
    "finds a job again whose id was never written down",
    PROVIDER,
    "finds the job of an earlier life that wrote down no id",
  ],
  [
    "W29",
    "submits a pod once, however often it is asked",
    CONTRACT,
    "repeated, also at the same time, answers with the job that exists and runs it once",
  ],
  [
    "W30",
    "answers with an error what it could not write",
    `${REAL}/disk-full.test.ts`,
    "refuses a pod for now when %s cannot be written, leaves no job, and runs it once there is space",
  ],
  [
    "W31",
    "survives each size of a log",
    `${SDK}/logs/read-log.test.ts`,
    "equal those of a naive reader for any bytes, timeline and options",
  ],
  [
    "W32",
    "refuses a pod whose volume is not there, in words",
    `${SDK}/batch/plan-batch-pod.test.ts`,
    "a volume is missing",
  ],
  ["W33", "reads an empty queue, and deletes between two looks", RELEASES, "tells its queue"],
  [
    "W34",
    "runs scripts that the API server has made",
    PROVIDER,
    "is run by the script that the API server has made for it",
  ],
  [
    "W35",
    "keeps a pod's files until its job has ended, and repeats what failed",
    PROVIDER,
    "ends a running pod in order, and repeats a cancel that failed",
  ],
  [
    "W36",
    "holds no file open beyond a call: files are read and written by functions that close them",
  ],
  [
    "W37",
    "ends in order, and says what is wrong in its configuration",
    `${OWN}/config/slurm-config.test.ts`,
    "says of %j what is wrong",
  ],
  [
    "W38",
    "lets go of a log that nobody follows any more",
    `${SDK}/logs/read-log.test.ts`,
    "ends without an error when the caller leaves, also before there is a file",
  ],
  // Quoting, injection, secrecy.
  [
    "W39",
    "gives nothing of a pod to a shell on its own machine, and takes only UIDs that are file names",
    `${OWN}/commands/program-helper.test.ts`,
    "reads no word by a shell",
  ],
  ["W40", "gives no image, path or option to a shell on the compute node", HOSTILE, BYTE_FOR_BYTE],
  ["W41", "runs the command of a probe as it is", HOSTILE, BYTE_FOR_BYTE],
  [
    "W42",
    "reads flags as words, and refuses what is none",
    `${OWN}/submit/sbatch-flags.test.ts`,
    "gives words that are read as the same flags again",
  ],
  [
    "W43",
    "takes shell text of pods only where the site allows it",
    `${OWN}/pods/annotations.test.ts`,
    "refuses %s: %s under %j",
  ],
  [
    "W44",
    "gives a job nothing of the plugin's environment, nor of another pod",
    `${OWN}/commands/program-helper.test.ts`,
    "gives each caller what its program wrote, with nothing but its own environment",
  ],
  [
    "W45",
    "names files by names that stay apart",
    `${SDK}/volumes/plan-volumes.test.ts`,
    "for any names and paths, a plan holds only clean paths below the volume, or is refused",
  ],
  [
    "W46",
    "lets nobody but the job's user read a pod's files",
    PROVIDER,
    "keeps pod data from other users",
  ],
  [
    "W47",
    "runs as other users by a list, with their own group",
    `${REAL}/accounting.test.ts`,
    "runs a pod as the user that it names, if the site allows that one",
  ],
  [
    "W48",
    "hands over variables of any name",
    `${OWN}/runtime/odd-variables.test.ts`,
    "hands over every byte to a real shell whose env %s",
  ],
  [
    "W49",
    "works below directories with spaces",
    RUNTIMES,
    "quotes a path for --mount as CSV is quoted",
  ],
  [
    "W50",
    "verifies whom it sends traces to",
    "packages/cli/src/telemetry/tracing.test.ts",
    "spans are sent by OTLP over gRPC with mutual TLS",
  ],
  // Features.
  [
    "W51",
    "tells capacity by words that every release knows",
    RELEASES,
    "tells its nodes: neither those that are down or drained count, nor closed partitions",
  ],
  [
    "W52",
    "runs preStop in the container, within the grace period",
    `${SDK}/batch/batch-stop.test.ts`,
    "SIGTERM runs preStop hooks, then stops each container; the sidecar hears it last",
  ],
  [
    "W53",
    "ends containers with their job",
    `${SDK}/batch/batch-crash.test.ts`,
    "when the script is killed with SIGKILL its containers end with it, and their ends are recorded",
  ],
  [
    "W54",
    "restarts what a liveness probe finds dead, and nothing else",
    `${SDK}/batch/batch-probes.test.ts`,
    "a liveness probe that fails has its container stopped and restarted, as a kubelet tells it",
  ],
  [
    "W55",
    "runs probes and hooks in the container itself",
    `${SDK}/batch/batch-inside.test.ts`,
    "is what probes do",
  ],
  [
    "W56",
    "probes by HTTP and TCP without tools of the node",
    `${SDK}/batch/batch-probes.test.ts`,
    "HTTP probes send what the kubelet sends and judge by the status",
  ],
  [
    "W57",
    "leaves no process of a probe, a hook or a container behind",
    `${SDK}/batch/batch-crash.test.ts`,
    "after SIGTERM at '%s' all that began has ended, and nothing begins",
  ],
  [
    "W58",
    "runs the pod in a mesh",
    `${OWN}/pods/job-script.test.ts`,
    "runs all but the shell text of the site in it, and ends as that does",
  ],
  ["W59", "gives memory per CPU alone", ARGUMENTS, "memory per CPU, which Slurm takes only alone"],
  [
    "W60",
    "speaks enroot's own words, and hands over variables",
    RUNTIMES,
    "imports, creates and starts, with variables by name only",
  ],
  [
    "W61",
    "provides host paths without a type",
    `${OWN}/pods/site-volumes.test.ts`,
    "provides %j of %s",
  ],
  [
    "W62",
    "opens a tunnel before the pod and closes it with the job",
    `${OWN}/pods/tunnel-script.test.ts`,
    "is open before its pod begins, and ends with it",
  ],
  [
    "W63",
    "says that Slurm does not answer",
    FAULTS,
    "that answers no command holds nobody up for ever, and no pod is lost or run twice",
  ],
  [
    "W64",
    "chooses a GPU flavor in one way, and counts typed GPUs",
    `${OWN}/config/flavor.test.ts`,
    "counts the GPUs of %s",
  ],
  [
    "W65",
    "has a script with a first line, clean by shellcheck",
    `${SDK}/batch/batch-script.test.ts`,
    "the script is clean by shellcheck",
  ],
  [
    "W66",
    "says which keys of a file have no effect",
    `${OWN}/config/slurm-config.test.ts`,
    "takes the whole file of the earlier plugin",
  ],
  [
    "W67",
    "runs sidecars",
    `${SDK}/batch/batch-pod.test.ts`,
    "sidecars run before and beside the containers and end last, in reverse order",
  ],
  ["W68", "bounds how many submissions run at once; job arrays are still missing (README)"],
  [
    "W69",
    "removes a pod's files in the same way whatever is shared",
    PROVIDER,
    "ends a running pod in order, and repeats a cancel that failed",
  ],
  [
    "W70",
    "gives a job its own directory, by an absolute path",
    ARGUMENTS,
    "stamps the job and ends with the script",
  ],
];

describe("defects of the earlier plugin that this one has not", () => {
  it("are all looked at", () => {
    expect(DEFECTS.map(([number]) => number)).toEqual(
      Array.from({ length: 70 }, (_, index) => `W${index + 1}`),
    );
  });

  it.each(DEFECTS.filter(([, , file]) => file !== undefined))(
    "%s: it %s",
    (_number, _does, file = "", title = "") => {
      expect(title).not.toBe("");
      expect(readFileSync(`${ROOT}${file}`, "utf8")).toContain(title);
    },
  );
});
