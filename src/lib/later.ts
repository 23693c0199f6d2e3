/** @param at ISO 8601 in UTC; answers in the same form */
export function later(at: string, ms: number): string {
  return new Date(Date.parse(at) + ms).toISOString();
}
