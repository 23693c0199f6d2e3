/** The rows in the order in which they run: the short ones first. */
import type { Row } from "../row.js";
import { burstRow } from "./burst.js";
import { cpuRow } from "./cpu.js";
import { killedRow } from "./killed.js";
import { largeRow } from "./large.js";
import { memoryRow } from "./memory.js";
import { refusedRow } from "./refused.js";
import { remoteConfigRow } from "./remote-config.js";
import { soakRow } from "./soak.js";
import { startRow } from "./start.js";
import { stopRow } from "./stop.js";

export const allRows: readonly Row[] = [startRow, remoteConfigRow, refusedRow, killedRow, burstRow, largeRow, stopRow, memoryRow, cpuRow, soakRow];
