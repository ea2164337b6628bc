/** Wires the parts together: commands, events, the status bar item. */

import * as vscode from 'vscode';
import { menuItems } from './menu';
import { ApiKey } from './secrets';
import { configuration, Session } from './session';
import { SECTION, SettingNames, toggled } from './settings';
import { describe, type View } from './status';

let session: Session | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('tabby-ls', { log: true });
  const item = vscode.window.createStatusBarItem('status', vscode.StatusBarAlignment.Right, 100);
  const names = new SettingNames(context.extension.packageJSON);
  const apiKey = new ApiKey(context.secrets);
  const ours = new Session(context.extensionPath, names, apiKey, log, () => show(item, view(ours)), offerHelp);
  session = ours;

  const commands: Record<string, () => unknown> = {
    showMenu: async () => {
      const chosen = await vscode.window.showQuickPick(menuItems(view(ours)), { title: 'tabby-ls' });
      return chosen && vscode.commands.executeCommand(chosen.command);
    },
    toggle: () => ours.setEnabled(!ours.isEnabled),
    toggleLanguage,
    showLog: () => log.show(),
    restart: () => ours.restart(),
    setApiKey: () => apiKey.ask(),
    openSettings: () => openSettings(`@ext:${context.extension.id}`),
  };
  for (const [name, run] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(`${SECTION}.${name}`, run));
  }
  context.subscriptions.push(
    log,
    item,
    apiKey.onDidChange(() => void ours.restart()),
    vscode.window.onDidChangeActiveTextEditor(() => show(item, view(ours))),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (names.needRestart.some((name) => event.affectsConfiguration(`${SECTION}.${name}`))) {
        void ours.restart();
      } else if (event.affectsConfiguration(SECTION)) {
        show(item, view(ours));
        void ours.tellSettings();
      }
    }),
  );

  item.name = 'tabby-ls';
  item.command = `${SECTION}.showMenu`;
  item.show();
  void ours.restart();
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}

function view(ours: Session): View {
  const language = vscode.window.activeTextEditor?.document.languageId;
  return {
    server: ours.state,
    isEnabled: ours.isEnabled,
    language,
    isLanguageEnabled: language === undefined || !disabledLanguages().includes(language),
  };
}

function show(item: vscode.StatusBarItem, now: View): void {
  const { text, tooltip, isError } = describe(now);
  item.text = text;
  item.tooltip = tooltip;
  item.backgroundColor = isError ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
}

function disabledLanguages(): string[] {
  return configuration().get<string[]>('disabled_languages', []);
}

/** Switch the active editor's language on or off, where its list is kept now: the workspace's settings or the user's. */
async function toggleLanguage(): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId;
  if (language === undefined) {
    return;
  }
  const isOfWorkspace = configuration().inspect('disabled_languages')?.workspaceValue !== undefined;
  const target = isOfWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await configuration().update('disabled_languages', toggled(disabledLanguages(), language), target);
}

async function openSettings(query: string): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openSettings', query);
}

async function offerHelp(problem: string): Promise<void> {
  const choose = 'Choose an interpreter';
  const get = 'Get Python';
  const answer = await vscode.window.showErrorMessage(`tabby-ls ${problem}.`, choose, get);
  if (answer === choose) {
    await openSettings(`${SECTION}.interpreter`);
  } else if (answer === get) {
    await vscode.env.openExternal(vscode.Uri.parse('https://www.python.org/downloads/'));
  }
}
