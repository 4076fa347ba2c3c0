/**
 * `refused`: Slurm said no, and will say so again. `unavailable`: nobody answered, or not in time; asking again may help.
 * `missing`: the program is not there.
 */
export type SlurmErrorCode = "refused" | "unavailable" | "missing";

/** A program of Slurm has failed. The message holds its own words. */
export class SlurmError extends Error {
  override readonly name = "SlurmError";
  readonly code: SlurmErrorCode;

  constructor(code: SlurmErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** What Slurm's programs say when the controller or the network is at fault, and not what was asked. */
const TRANSIENT =
  /unable to contact slurm controller|connection (?:refused|timed out|reset)|socket timed out|slurm_receive_msg|zero bytes were transmitted|slurm(?:ctld)? (?:is )?(?:not responding|down)|slurm_persist_conn|protocol authentication error|munge|resource temporarily unavailable|slurm temporarily unable|too many (?:jobs|rpcs)|rate limit|job violates accounting\/qos policy \(job submit limit|maximum number of jobs|required partition not available|i\/o error writing script|no space left|disk quota exceeded|incompatible versions of client and server|backup controller|controller.*(?:standby|responding)|unexpected message|cluster .* is not known.*|database/i;

/** Whether the words of a failed program tell of trouble that may pass. */
export function isTransient(words: string): boolean {
  return TRANSIENT.test(words);
}
