/** One window's language server: started, restarted, told its settings. */

import * as readline from 'node:readline';
import * as vscode from 'vscode';
import { DidChangeConfigurationNotification, RevealOutputChannelOn } from 'vscode-languageclient';
import { LanguageClient, type LanguageClientOptions, State } from 'vscode-languageclient/node';
import { parseLogLine } from './log';
import { selectedInterpreter } from './pythonExtension';
import type { ApiKey } from './secrets';
import { chooseServer, launch } from './server';
import { type Inspect, machineSettings, SECTION, type SettingNames, windowSettings } from './settings';
import type { ServerState } from './status';

/** The server's word on its backend. */
const STATUS = 'tabby-ls/status';
interface StatusParams {
  readonly state: 'ready' | 'error';
  readonly message: string;
}

const DOCUMENTS = ['file', 'untitled', 'vscode-notebook-cell'].map((scheme) => ({ scheme }));

export class Session {
  state: ServerState = { kind: 'starting' };
  private client: LanguageClient | undefined;
  private enabled: boolean | undefined;
  private running: Promise<void> = Promise.resolve();
  private waiting: Promise<void> | undefined;

  /** `changed` is called when there is something new to show; `noServer` when none can be started, with the reason. */
  constructor(
    private readonly extensionPath: string,
    private readonly names: SettingNames,
    private readonly apiKey: ApiKey,
    private readonly log: vscode.LogOutputChannel,
    private readonly changed: () => void,
    private readonly noServer: (reason: string) => void,
  ) {}

  /** Whether anything is suggested: what was said for this session, else the setting. */
  get isEnabled(): boolean {
    return this.enabled ?? configuration().get<boolean>('enabled', true);
  }

  /** Switch suggestions on or off until the window is closed. */
  async setEnabled(enabled: boolean): Promise<void> {
    this.enabled = enabled;
    this.changed();
    await this.tellSettings();
  }

  /** Let the server fetch its settings again. */
  async tellSettings(): Promise<void> {
    if (this.client?.state === State.Running) {
      await this.client.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
    }
  }

  /** Start the server, or replace the one that runs. Calls that arrive before the next start are one. */
  restart(): Promise<void> {
    this.waiting ??= this.running = this.running.then(async () => {
      this.waiting = undefined;
      await this.stopClient();
      await this.startClient();
    });
    return this.waiting;
  }

  /** End the server. */
  async stop(): Promise<void> {
    await this.running;
    await this.stopClient();
  }

  private async startClient(): Promise<void> {
    this.show({ kind: 'starting' });
    try {
      const settings = configuration();
      const server = await chooseServer({
        serverCommand: settings.get<string[]>('serverCommand', []),
        interpreter: settings.get<string>('interpreter', ''),
        selectedInterpreter: () => selectedInterpreter(this.log),
        platform: process.platform,
      });
      if ('problem' in server) {
        this.show({ kind: 'error', reason: server.problem });
        this.noServer(server.problem);
        return;
      }
      this.log.info(`starting ${server.isBundled ? 'the server in the extension with ' : ''}${server.command[0]}`);
      const start = launch(server, this.extensionPath, process.env, await this.apiKey.get());
      const client = new LanguageClient(SECTION, 'tabby-ls', start, this.clientOptions());
      this.client = client;
      client.onDidChangeState(({ newState }) => this.clientChanged(client, newState));
      client.onNotification(STATUS, ({ state, message }: StatusParams) =>
        this.show(state === 'error' ? { kind: 'error', reason: message } : { kind: 'ready' }),
      );
      await client.start();
    } catch (error) {
      this.log.error(`the server did not start: ${error}`);
      this.show({ kind: 'error', reason: 'the server did not start; the log says more' });
    }
  }

  private async stopClient(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      this.log.warn(`the server did not end by itself: ${error}`);
    }
  }

  private clientChanged(client: LanguageClient, state: State): void {
    if (client !== this.client) {
      return; // one that is being replaced
    }
    if (state === State.Running) {
      this.show({ kind: 'ready' });
    } else if (state === State.Starting) {
      this.show({ kind: 'starting' });
    } else {
      this.show({ kind: 'error', reason: 'the server stopped; the log says more' });
    }
  }

  private show(state: ServerState): void {
    this.state = state;
    this.changed();
  }

  private clientOptions(): LanguageClientOptions {
    return {
      documentSelector: DOCUMENTS,
      outputChannel: this.log,
      traceOutputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      stdioOptions: {
        stdout: (input, log) => void readline.createInterface({ input }).on('line', (line) => log.info(line)),
        stderr: (input, log) =>
          void readline.createInterface({ input }).on('line', (line) => {
            const { level, text } = parseLogLine(line);
            log[level](text);
          }),
      },
      initializationOptions: () => machineSettings(this.names, inspect),
      middleware: {
        workspace: {
          configuration: ({ items }) =>
            items.map(({ section }) =>
              section === SECTION ? windowSettings(this.names, inspect, this.enabled) : null,
            ),
        },
      },
    };
  }
}

/** Return the settings of this extension. */
export function configuration(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(SECTION);
}

const inspect: Inspect = (name) => configuration().inspect(name);
