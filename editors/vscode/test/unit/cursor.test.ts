/** Where the cursor goes behind a suggestion; `|` is where it is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursorAfter } from '../../src/cursor';

for (const [name, before, inserted, behind, after] of [
  ['stays where VS Code put it', 'x = alpha|', 'alpha', '', 'x = alpha|'],
  ['goes behind an emoji, which VS Code counts as one', '- two |🎉', 'o 🎉', '', '- two 🎉|'],
  ['goes on by as many as there are emoji', 's = "🎉 and 🎉 an|d"', '🎉 and 🎉 and', '', 's = "🎉 and 🎉 and|"'],
  ['counts those of the last line only', '  done|', 'a 🎉\n  done', '', '  done|'],
  ['stays behind an emoji, where VS Code has learned to count', 'two 🎉| 🎉', 'two 🎉', '', 'two 🎉| 🎉'],
  ['goes behind the bracket of a call over several lines', '|)', '\n  alpha,\n', ')', ')|'],
  ['stays where there is no such bracket', '|]', '\n  alpha,\n', ')', '|]'],
] as const) {
  test(name, () => {
    const column = before.indexOf('|');
    const line = before.replace('|', '');
    const found = cursorAfter(line, column, inserted, behind);
    assert.equal(`${line.slice(0, found)}|${line.slice(found)}`, after);
  });
}
