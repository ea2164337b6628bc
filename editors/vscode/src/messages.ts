/** Boxes with messages, and with what can be done about them: of one without a button only the first line is shown. */

import * as vscode from 'vscode';
import { MessageType, type ShowMessageParams } from 'vscode-languageclient';
import { SECTION } from './settings';

/** A button: its title, and which of our commands it runs. */
export type Action = readonly [title: string, command: string];

export const SHOW_LOG: Action = ['Show Log', 'showLog'];

type Box = (text: string, ...titles: string[]) => Thenable<string | undefined>;

/** Show a message, as in `offer(vscode.window.showInformationMessage, ...)`, and run the action that is chosen. */
export async function offer(box: Box, text: string, ...actions: Action[]): Promise<void> {
  const chosen = await box(text, ...actions.map(([title]) => title));
  const action = actions.find(([title]) => title === chosen);
  if (action) {
    await vscode.commands.executeCommand(`${SECTION}.${action[1]}`);
  }
}

/** Show what the server wants read: the welcome of the first run, or what is wrong with the settings or the machine. */
export async function showMessage({ type, message }: ShowMessageParams): Promise<void> {
  const { showInformationMessage, showWarningMessage } = vscode.window;
  if (type === MessageType.Info) {
    await offer(showInformationMessage, message, ['Connect a Server', 'connect']);
  } else {
    await offer(showWarningMessage, message, ['Open Settings', 'openSettings'], SHOW_LOG);
  }
}
