/** Connecting a server: its address is asked for, kept in the machine's settings, and tried. */

import * as vscode from 'vscode';
import { type Action, offer } from './messages';
import { configuration, type Session } from './session';
import { addressProblem } from './settings';
import type { ServerState } from './status';

const SECONDS = 15;

/** Ask for the address, let the language server use it, and say what came of it. */
export async function connect(session: Session): Promise<void> {
  const former = configuration().get<string>('backend.url', '');
  const answer = await vscode.window.showInputBox({
    title: 'Connect a server',
    prompt: 'Address of TabbyAPI, llama.cpp, Ollama, vLLM or another. Leave empty to complete from your own files.',
    placeHolder: 'http://127.0.0.1:5000',
    value: former,
    ignoreFocusOut: true,
    validateInput: addressProblem,
  });
  if (answer === undefined) {
    return;
  }
  const url = answer.trim();
  const outcome = firstAnswer(session, url);
  // A changed setting restarts the server.
  await configuration().update('backend.url', url || undefined, vscode.ConfigurationTarget.Global);
  if (url === former) {
    await session.restart();
  }
  const trying = { location: vscode.ProgressLocation.Notification, title: `tabby-ls: trying ${url}` };
  const state = await (url ? vscode.window.withProgress(trying, () => outcome) : outcome);
  await report(state, url);
}

async function report(state: ServerState | undefined, url: string): Promise<void> {
  if (state === undefined) {
    const text = `tabby-ls: no answer from ${url || 'the local model'} yet. The status bar shows when there is one.`;
    void vscode.window.showWarningMessage(text);
    return;
  }
  if (state.kind !== 'running') {
    return; // the status bar says why
  }
  const { status } = state;
  if (status.state !== 'error') {
    void vscode.window.showInformationMessage(`tabby-ls: suggestions come from ${status.backend}.`);
    return;
  }
  const actions: Action[] = [
    ['Change Address', 'connect'],
    ['Set API Key', 'setApiKey'],
  ];
  await offer(vscode.window.showWarningMessage, `tabby-ls: ${status.message}`, ...actions);
}

/** Return the first status in which the new server's backend has answered, or failed to; undefined after a while. */
function firstAnswer(session: Session, url: string): Promise<ServerState | undefined> {
  return new Promise((resolve) => {
    let hasRestarted = false;
    const done = (state: ServerState | undefined) => {
      clearTimeout(timer);
      subscription.dispose();
      resolve(state);
    };
    const timer = setTimeout(done, SECONDS * 1000, undefined);
    const subscription = session.onDidChangeState((state) => {
      hasRestarted ||= state.kind === 'starting';
      if (hasRestarted && (state.kind === 'stopped' || (state.kind === 'running' && isAnswer(state.status, url)))) {
        done(state);
      }
    });
  });
}

/** A backend with a model has been asked for it; before that only its kind is known. */
function isAnswer({ state, backend }: { state: string; backend: string }, url: string): boolean {
  return state === 'error' || (url ? backend.includes(': ') : backend !== '');
}
