/** Wires the parts together: commands, events, the status bar item. */

import * as vscode from 'vscode';
import { connect } from './connect';
import { menuItems } from './menu';
import { offer, SHOW_LOG, showMessage } from './messages';
import { ApiKey } from './secrets';
import { configuration, DOCUMENTS, Session } from './session';
import { SECTION, SettingNames, toggled } from './settings';
import { Statistics } from './statistics';
import { describe, type Place, type View } from './status';
import { StatusItem } from './statusItem';
import { Switches } from './switches';

let session: Session | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('tabby-ls', { log: true });
  const item = new StatusItem(`${SECTION}.showMenu`);
  const names = new SettingNames(context.extension.packageJSON);
  const apiKey = new ApiKey(context.secrets);
  const switches = new Switches();
  const ours = new Session(context.extension, names, apiKey, log, () => switches.all(), offerHelp, showMessage);
  session = ours;
  const statistics = new Statistics(ours);
  const enabledSetting = () => configuration().get<boolean>('enabled', true);
  const view = (): View => ({
    server: ours.state,
    isEnabled: switches.isEnabled(enabledSetting()),
    place: place(switches),
  });
  const show = () => item.show(view());

  // None of them has the name of one of the server's own, which the client registers too.
  const commands: Record<string, () => unknown> = {
    showMenu: () => showMenu(view()),
    toggleSession: async () => {
      const toggle = switches.toggleSession(enabledSetting());
      show();
      await ours.tellToggle(toggle);
    },
    toggleLanguage,
    toggleFile: async () => {
      const uri = activeUri();
      if (uri !== undefined) {
        const toggle = switches.toggleFile(uri);
        show();
        await ours.tellToggle(toggle);
      }
    },
    explain: () => explain(ours, view()),
    showStatistics: () => statistics.show(),
    connect: () => connect(ours),
    setApiKey: () => apiKey.ask(),
    restart: () => ours.restart(),
    showLog: () => log.show(),
    openSettings: () => openSettings(`@ext:${context.extension.id}`),
    getStarted: () =>
      vscode.commands.executeCommand('workbench.action.openWalkthrough', `${context.extension.id}#start`, false),
  };
  for (const [name, run] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(`${SECTION}.${name}`, run));
  }
  context.subscriptions.push(
    log,
    item,
    statistics,
    ours.onDidChangeState(show),
    apiKey.onDidChange(() => void ours.restart()),
    vscode.window.onDidChangeActiveTextEditor(() => {
      show();
      void ours.askStatus(activeUri());
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      if (ours.state.kind === 'stopped') {
        void ours.restart(); // the Python extension's interpreter may be used now
      }
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('editor.inlineSuggest.enabled')) {
        show();
      }
      if (event.affectsConfiguration(`${SECTION}.enabled`)) {
        switches.forgetSession();
      }
      if (names.needRestart.some((name) => event.affectsConfiguration(`${SECTION}.${name}`))) {
        void ours.restart();
      } else if (event.affectsConfiguration(SECTION)) {
        show();
        void ours.tellSettings();
      }
    }),
  );
  void ours.restart();
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}

function place(switches: Switches): Place | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return (
    document && {
      isServed: vscode.languages.match(DOCUMENTS, document) > 0,
      showsGhostText: vscode.workspace.getConfiguration('editor', document).get<boolean>('inlineSuggest.enabled', true),
      language: document.languageId,
      isLanguageEnabled: !disabledLanguages().includes(document.languageId),
      isFileEnabled: switches.isFileEnabled(document.uri.toString()),
    }
  );
}

function activeUri(): string | undefined {
  return vscode.window.activeTextEditor?.document.uri.toString();
}

async function showMenu(view: View): Promise<void> {
  const { state, backend } = describe(view);
  const items = menuItems(view).map((item) =>
    'title' in item ? { label: item.title, kind: vscode.QuickPickItemKind.Separator } : item,
  );
  const title = ['tabby-ls', backend].filter(Boolean).join(' · ');
  const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: state });
  if (chosen && 'command' in chosen) {
    await vscode.commands.executeCommand(chosen.command);
  }
}

async function explain(session: Session, view: View): Promise<void> {
  const { place } = view;
  const isAsked = place === undefined || (place.isServed && place.showsGhostText);
  const text = (isAsked ? await session.why(activeUri()) : undefined) ?? describe(view).state;
  await offer(vscode.window.showInformationMessage, `tabby-ls: ${text}`, SHOW_LOG);
}

function disabledLanguages(): string[] {
  return configuration().get<string[]>('disabledLanguages', []);
}

/** Switch the active editor's language on or off, where its list is kept now: the workspace's settings or the user's. */
async function toggleLanguage(): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId;
  if (language === undefined) {
    return;
  }
  const isOfWorkspace = configuration().inspect('disabledLanguages')?.workspaceValue !== undefined;
  const target = isOfWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await configuration().update('disabledLanguages', toggled(disabledLanguages(), language), target);
}

async function openSettings(query: string): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openSettings', query);
}

async function offerHelp(problem: string): Promise<void> {
  const choose = 'Choose an Interpreter';
  const get = 'Get Python';
  const answer = await vscode.window.showErrorMessage(`tabby-ls ${problem}.`, choose, get);
  if (answer === choose) {
    await openSettings(`${SECTION}.interpreter`);
  } else if (answer === get) {
    await vscode.env.openExternal(vscode.Uri.parse('https://www.python.org/downloads/'));
  }
}
