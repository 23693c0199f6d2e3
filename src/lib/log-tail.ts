/** The Go supervisor's frame around the Collector's last words, so that whoever looks for it in an error finds it. */
const FRAME = "\nCollector log tail:\n";

/** The cause stands in front, where a cut cannot reach it; the Collector's own words, if there are any, follow. */
export function withLogTail(cause: string, tail: string): string {
  return tail === "" ? cause : `${cause}${FRAME}${tail}`;
}
