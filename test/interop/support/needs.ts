/** What the interop tests need beyond Node, as `setup.ts` and `.ci/run` found it on this machine. */
export interface Needs {
  /** The real Collector. */
  readonly collector: string;
  /** The program on opamp-go's server package. */
  readonly goServer: string;
}

export const needs: Needs = { collector: process.env["OTELCOL"] ?? "", goServer: process.env["GO_SERVER"] ?? "" };

/** Without Go there is neither: the tests are skipped, for the reason that stands in `skips.txt`. */
export const missing = needs.collector === "" || needs.goServer === "";
