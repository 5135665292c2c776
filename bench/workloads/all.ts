import type { Workload } from "../harness/workload.js";
import { drains } from "./drain.js";
import { growths } from "./growth.js";
import { memories } from "./memory.js";
import { produce } from "./produce.js";
import { waiting } from "./waiting.js";

export const workloads: readonly Workload[] = [...drains, produce, ...waiting, ...memories, ...growths];
