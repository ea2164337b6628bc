/** Where the cursor belongs once VS Code has inserted a suggestion. */

/**
 * Return the column for a cursor that VS Code left at `column` of `line`, once `inserted` was. `behind` is what the
 * suggestion ends with too, and stood behind the cursor already.
 *
 * VS Code 1.139 counts a character of two UTF-16 units, such as an emoji, as one, and leaves the cursor before the end
 * of what it inserted. And it has forgotten, of a call over several lines, that it closed the bracket: who is left
 * before that would write it again.
 */
export function cursorAfter(line: string, column: number, inserted: string, behind: string): number {
  const last = inserted.slice(inserted.lastIndexOf('\n') + 1);
  const missing = last.length - [...last].length;
  // Between the two halves of a character VS Code puts no cursor, so it may be one unit more.
  const ends = Array.from({ length: missing + (missing > 0 ? 2 : 1) }, (_, more) => column + more);
  const end = ends.find((end) => line.slice(0, end).endsWith(last)) ?? column;
  return line.startsWith(behind, end) ? end + behind.length : end;
}
