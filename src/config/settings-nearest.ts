/** The known word that somebody most likely meant: smallest edit distance, swapped neighbours counting once. */
export function nearest(word: string, known: Iterable<string>): string | null {
  const wanted = normal(word);
  // A third of the letters may be wrong; beyond that a suggestion confuses more than it helps.
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  let best: string | null = null;
  if (wanted.length > WORD_CHARS_MAX) return null;
  for (const candidate of known) {
    const distance = editDistance(wanted, normal(candidate));
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

/** Longer words are nonsense, and the table below grows with their square. */
const WORD_CHARS_MAX = 80;

/** `acceptsRemoteConfig`, `accepts-remote-config` and `accepts_remote_config` are one intention. */
function normal(word: string): string {
  return word
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}

function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforePrevious, j - 2) + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
