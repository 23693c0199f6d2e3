/**
 * What the rest of the program knows of logging. Messages are static sentences (capital first letter, no full stop) and
 * the data goes into fields; `log-pino.ts` holds the implementation.
 */
export type Fields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A logger with another `logger` field, e.g. "supervisor" or "collector". */
  named(name: string): Logger;
}

/** Says nothing; for tests and for code that runs before the settings are known. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  named: () => silentLogger,
};
