/** The API key: kept by VS Code's secret storage, never in settings. */

import * as vscode from 'vscode';

const NAME = 'apiKey';

export class ApiKey {
  constructor(private readonly storage: vscode.SecretStorage) {}

  async get(): Promise<string | undefined> {
    return this.storage.get(NAME);
  }

  /** Ask the user for a key and keep it; an empty one removes it. */
  async ask(): Promise<void> {
    const key = await vscode.window.showInputBox({
      title: 'API key of your server',
      prompt: 'Kept in the secret storage of VS Code. Leave empty to remove it.',
      password: true,
      ignoreFocusOut: true,
      validateInput: (text) => (/^[!-~]*$/.test(text.trim()) ? undefined : 'An API key has no spaces and is plain ASCII.'),
    });
    if (key === undefined) {
      return;
    }
    if (key.trim()) {
      await this.storage.store(NAME, key.trim());
    } else {
      await this.storage.delete(NAME);
    }
  }

  /** Call back when the key changes, in this window or another. */
  onDidChange(changed: () => void): vscode.Disposable {
    return this.storage.onDidChange((event) => {
      if (event.key === NAME) {
        changed();
      }
    });
  }
}
