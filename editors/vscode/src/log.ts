/** Reads the server's log, which arrives as lines on its standard error. */

export type Level = 'debug' | 'info' | 'warn' | 'error';

const LEVELS: Record<string, Level> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'error',
};

/** Return a line's level and its text without date and level; what is no log line, a traceback's, is an error. */
export function parseLogLine(line: string): { level: Level; text: string } {
  const match = /^[\d-]+ [\d:,]+ ([A-Z]+) (.*)$/.exec(line);
  const level = LEVELS[match?.[1] ?? ''];
  return level ? { level, text: match?.[2] ?? '' } : { level: 'error', text: line };
}
