/** The server's statistics, as a read-only document: they are a table, which wants a font of one width. */

import * as vscode from 'vscode';
import type { Session } from './session';

const SCHEME = 'tabby-ls';
const DOCUMENT = vscode.Uri.from({ scheme: SCHEME, path: 'tabby-ls statistics' });

export class Statistics implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);

  constructor(private readonly session: Session) {}

  async provideTextDocumentContent(): Promise<string> {
    return (await this.session.statistics()) ?? 'The server is not running. The status bar says why; its menu can restart the server.';
  }

  /** Open the document, with the figures of now. */
  async show(): Promise<void> {
    this.changed.fire(DOCUMENT);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(DOCUMENT), { preview: true });
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}
