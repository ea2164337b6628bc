/** What is left to do once VS Code has inserted a suggestion. */

import * as vscode from 'vscode';

/** The command of every suggestion. */
export const ACCEPTED = 'tabby-ls.accepted';

/**
 * Move the cursors behind what the suggestion ended with and stood there already: the bracket of a call over several
 * lines. VS Code has forgotten that it closed it, and would not step over it when it is typed.
 */
export function moveBehind({ behind = '' }: { readonly behind?: string }): void {
  const editor = vscode.window.activeTextEditor;
  if (!editor || !behind) {
    return;
  }
  editor.selections = editor.selections.map((selection) => {
    const end = selection.active.translate(0, behind.length);
    const isThere = editor.document.getText(new vscode.Range(selection.active, end)) === behind;
    return selection.isEmpty && isThere ? new vscode.Selection(end, end) : selection;
  });
}
