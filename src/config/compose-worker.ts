/** Entry of the worker thread for large jobs, bundled on its own. It does one job and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { answer } from "./compose-answer.js";
import type { Job } from "./compose-job.js";

parentPort?.postMessage(answer(workerData as Job));
