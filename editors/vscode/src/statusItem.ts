/** The item in the status bar. */

import * as vscode from 'vscode';
import { describe, type Severity, type View } from './status';

const BACKGROUNDS: Record<Severity, vscode.ThemeColor | undefined> = {
  none: undefined,
  warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
  error: new vscode.ThemeColor('statusBarItem.errorBackground'),
};

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('status', vscode.StatusBarAlignment.Right, 100);

  /** A click runs `command`. */
  constructor(command: string) {
    this.item.name = 'tabby-ls';
    this.item.command = command;
    this.item.show();
  }

  show(view: View): void {
    const { icon, state, backend, severity } = describe(view);
    this.item.text = `$(${icon}) tabby-ls`;
    this.item.tooltip = ['tabby-ls: ' + state, backend].filter(Boolean).join('\n');
    this.item.accessibilityInformation = { label: ['tabby-ls: ' + state, backend].filter(Boolean).join(', ') };
    this.item.backgroundColor = BACKGROUNDS[severity];
  }

  dispose(): void {
    this.item.dispose();
  }
}
