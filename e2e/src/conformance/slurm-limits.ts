/** Why some behaviours are not for the Slurm plugin: what a batch job is, and what the site of the tests has. */
export const SLURM_LIMITS = {
  address:
    "Pods of the Slurm plugin have no address of their own: a job is on its compute node's network.",
  batch:
    "A job is submitted as a whole: what is wrong with the pod then refuses it, and nothing waits.",
  files:
    "The variables of a job are written down when it is submitted; the files of its volumes come later.",
  images:
    "The images of the Slurm site of the tests are directories, with no configuration in them.",
  memory: "Volumes in memory are directories on disk with the Slurm plugin, which sets no limits.",
  redirects: "HTTP probes of the Slurm plugin do not follow redirects.",
  runtimes: "The Slurm plugin runs pods of every RuntimeClass with the site's one runtime.",
  storage: "Nobody measures what a Slurm job writes.",
  sysctls: "A job has its compute node's kernel settings.",
  users: "The Slurm plugin runs all containers of a job as the job's user.",
} as const;
