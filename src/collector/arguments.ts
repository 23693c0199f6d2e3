/** The Collector's command line: the same for the run and, behind `validate`, for the validation of what will run. */

const NO_PIPELINES_GATE = "service.AllowNoPipelines";

export interface CollectorArguments {
  /** Absolute path of the composed configuration. */
  readonly configPath: string;
  /** The executable knows the gate that lets it run with extensions alone. */
  readonly allowsNoPipelines: boolean;
  /** `agent.args`, last, so that they win where the Collector lets them. */
  readonly args: readonly string[];
}

export function collectorArguments({ configPath, allowsNoPipelines, args }: CollectorArguments): string[] {
  const gates = allowsNoPipelines ? ["--feature-gates", NO_PIPELINES_GATE] : [];
  return ["--config", configPath, ...gates, ...args];
}

/** True when the list of the `featuregate` command names the gate: its first word in a line is the gate's name. */
export function listsNoPipelinesGate(featuregateOutput: string): boolean {
  return featuregateOutput.split("\n").some((line) => line.trim().split(/\s+/, 1)[0] === NO_PIPELINES_GATE);
}
