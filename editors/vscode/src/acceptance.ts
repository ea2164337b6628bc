/** What is left to do once VS Code has inserted a suggestion: its cursor is not always where the user goes on. */

import * as vscode from 'vscode';
import type { Middleware } from 'vscode-languageclient';
import { cursorAfter } from './cursor';

/** The server's command in every suggestion; its argument is an object. */
const ACCEPTED = 'tabby-ls.accepted';

/** Puts the cursor right on acceptance, before the server hears of it. */
export const ACCEPTANCE: Middleware = {
  provideInlineCompletionItems: async (document, position, context, token, next) => {
    const found = await next(document, position, context, token);
    for (const item of Array.isArray(found) ? found : (found?.items ?? [])) {
      item.command?.arguments?.push(item.insertText); // for us: it is taken off below
    }
    return found;
  },
  executeCommand: (command, args, next) => {
    if (command !== ACCEPTED) {
      return next(command, args);
    }
    const [accepted, inserted] = args;
    if (typeof inserted === 'string') {
      putCursors(inserted, accepted.behind ?? '');
    }
    return next(command, args.slice(0, 1));
  },
};

function putCursors(inserted: string, behind: string): void {
  const editor = vscode.window.activeTextEditor;
  if (!editor?.selections.every(({ isEmpty }) => isEmpty)) {
    return;
  }
  const places = editor.selections.map(({ active: { line, character } }) => {
    const column = cursorAfter(editor.document.lineAt(line).text, character, inserted, behind);
    return new vscode.Position(line, column);
  });
  if (places.some((place, index) => !place.isEqual(editor.selections[index]!.active))) {
    editor.selections = places.map((place) => new vscode.Selection(place, place));
  }
}
