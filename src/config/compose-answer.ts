/** Does one job, in whichever thread. What is wrong with the input is part of the answer; a bug throws. */
import { messageOf, SupervisorError } from "../lib/error.js";
import type { Answer, Job } from "./compose-job.js";
import { composeLayers } from "./compose-layers.js";
import { redactReported } from "./redact-reported.js";

export function answer(job: Job): Answer {
  try {
    switch (job.do) {
      case "compose":
        return { is: "composed", composed: composeLayers(job) };
      case "redact":
        return { is: "redacted", text: redactReported(job) };
    }
  } catch (error) {
    if (error instanceof SupervisorError) return { is: "refused", code: error.code, message: messageOf(error) };
    throw error;
  }
}
