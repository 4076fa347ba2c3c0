import { configureGlobal } from "fast-check";

// One seed for all property tests, so that a run can be repeated and a change is not blamed for what another seed
// would have found before it. `FAST_CHECK_SEED=random` looks further; any number is that seed.
const wanted = process.env["FAST_CHECK_SEED"] ?? "20261121";
if (wanted !== "random") configureGlobal({ seed: Number(wanted) });
