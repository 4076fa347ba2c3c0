import type { Unit } from "./report/quantity.ts";

/** One number that was measured. */
interface Measure {
  name: string;
  value: number;
  unit: Unit;
}

/** A distribution of one thing that was measured many times. */
export interface DistributionMeasure {
  name: string;
  unit: Unit;
  count: number;
  min: number;
  p50: number;
  p99: number;
  max: number;
}

/** What the project wants, and whether this run got it. */
export interface Aim {
  /** A sentence with the limit in it. */
  wanted: string;
  /** What was measured, in words. */
  got: string;
  met: boolean;
}

/** Everything that a scenario found. */
export interface Findings {
  measures: Measure[];
  distributions: DistributionMeasure[];
  aims: Aim[];
  /** What a reader must know to judge the numbers: what was left out, what went wrong on the way. */
  notes: string[];
}

/** What a scenario is handed. */
export interface BenchContext {
  /** Small numbers, to see that everything works. */
  quick: boolean;
  /** Fires at Ctrl-C and when the scenario's time is over. */
  signal: AbortSignal;
  /** A fresh directory of this scenario; removed afterwards. */
  directory: string;
  /** Where the parts write their CPU profiles, if somewhere. */
  cpuProfiles?: string;
  /** Tells a person what is going on. */
  progress: (text: string) => void;
}

/** One thing to measure. It starts what it needs and stops it again, also when it fails. */
export interface Scenario {
  name: string;
  /** One line for people. */
  title: string;
  /** Longest that it may take, milliseconds. */
  timeoutMs: number;
  run(context: BenchContext): Promise<Findings>;
}
