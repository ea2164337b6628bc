/** One window's language server: started, restarted, told its settings and switches. */

import * as readline from 'node:readline';
import * as vscode from 'vscode';
import {
  DidChangeConfigurationNotification,
  ExecuteCommandRequest,
  RevealOutputChannelOn,
  ShowMessageNotification,
  type ShowMessageParams,
  type StaticFeature,
} from 'vscode-languageclient';
import { LanguageClient, type LanguageClientOptions, State } from 'vscode-languageclient/node';
import { ACCEPTANCE } from './acceptance';
import { parseLogLine } from './log';
import { selectedInterpreter } from './pythonExtension';
import type { ApiKey } from './secrets';
import { chooseServer, KEY_VARIABLE, launch } from './server';
import { type Inspect, machineSettings, SECTION, type SettingNames, windowSettings } from './settings';
import type { ServerState, ServerStatus } from './status';
import type { Toggle } from './switches';

/** Sent by a server whose client says that it shows a status. */
const STATUS = 'tabby-ls/status';
const UNKNOWN: ServerStatus = { state: 'idle', backend: '', message: '' };

/**
 * Declares that this client shows the server's status, so that the server opens no message boxes for it, and how a
 * server and a key are named here.
 */
const SHOWS_STATUS: StaticFeature = {
  fillClientCapabilities: (capabilities) => {
    const ours = {
      status: true,
      apiKey: { variable: KEY_VARIABLE, command: 'Set API Key' },
      connectCommand: 'Connect a Server',
    };
    capabilities.experimental = { ...capabilities.experimental, [SECTION]: ours };
  },
  initialize: () => {},
  getState: () => ({ kind: 'static' }),
  clear: () => {},
};

/** The documents that the server is told of. */
export const DOCUMENTS = ['file', 'untitled', 'vscode-notebook-cell'].map((scheme) => ({ scheme }));

export class Session {
  state: ServerState = { kind: 'starting' };
  private client: LanguageClient | undefined;
  private running: Promise<void> = Promise.resolve();
  private waiting: Promise<void> | undefined;
  private readonly stateChanged = new vscode.EventEmitter<ServerState>();
  /** Fires when there is something new to show. */
  readonly onDidChangeState = this.stateChanged.event;

  /**
   * `toggles` are what each new server process is told; `noServer` is called when none can be started, with the
   * reason, and `message` with what the server wants the user to read.
   */
  constructor(
    private readonly extension: vscode.Extension<unknown>,
    private readonly names: SettingNames,
    private readonly apiKey: ApiKey,
    private readonly log: vscode.LogOutputChannel,
    private readonly toggles: () => readonly Toggle[],
    private readonly noServer: (reason: string) => void,
    private readonly message: (message: ShowMessageParams) => void,
  ) {}

  /** Let the server fetch its settings again. */
  async tellSettings(): Promise<void> {
    if (this.client?.state === State.Running) {
      await this.client.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
    }
  }

  /** Tell the server what the user has switched on or off. */
  async tellToggle(toggle: Toggle): Promise<void> {
    await this.execute('toggle', toggle);
  }

  /** Return in words why nothing was suggested in a document, undefined if no server runs. */
  async why(uri: string | undefined): Promise<string | undefined> {
    return this.execute('why', ...(uri === undefined ? [] : [{ uri }]));
  }

  /** Return a small table of how suggestions went, undefined if no server runs. */
  async statistics(): Promise<string | undefined> {
    return this.execute('stats');
  }

  /** Learn the status where the user is now: a file may be one that nothing is suggested in. */
  async askStatus(uri: string | undefined): Promise<void> {
    const client = this.client;
    const status = await this.execute<ServerStatus>('status', ...(uri === undefined ? [] : [{ uri }]));
    if (status && client === this.client && this.state.kind === 'running') {
      this.show({ kind: 'running', status });
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

  private async execute<T>(command: string, ...args: object[]): Promise<T | undefined> {
    if (this.client?.state !== State.Running) {
      return undefined;
    }
    try {
      const params = { command: `${SECTION}.${command}`, arguments: args };
      return (await this.client.sendRequest(ExecuteCommandRequest.type, params)) as T;
    } catch (error) {
      this.log.warn(`${SECTION}.${command}: ${error}`);
      return undefined;
    }
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
        bundledVersion: this.extension.packageJSON.version,
      });
      if ('problem' in server) {
        this.log.error(server.problem);
        this.show({ kind: 'stopped', reason: server.problem });
        this.noServer(server.problem);
        return;
      }
      this.log.info(`starting ${server.isBundled ? 'the server in the extension: ' : ''}${server.command.join(' ')}`);
      const start = launch(server, this.extension.extensionPath, process.env, await this.apiKey.get());
      const client = new LanguageClient(SECTION, 'tabby-ls', start, this.clientOptions());
      this.client = client;
      client.registerFeature(SHOWS_STATUS);
      client.onDidChangeState(({ newState }) => this.clientChanged(client, newState));
      client.onNotification(STATUS, (status: ServerStatus) => this.show({ kind: 'running', status }));
      client.onNotification(ShowMessageNotification.type, this.message);
      await client.start();
    } catch (error) {
      this.log.error(`the server did not start: ${error}`);
      this.show({ kind: 'stopped', reason: 'the server did not start; the log says why, and Restart tries again' });
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
      this.show({ kind: 'running', status: UNKNOWN });
      for (const toggle of this.toggles()) {
        void this.tellToggle(toggle);
      }
    } else if (state === State.Starting) {
      this.show({ kind: 'starting' });
    } else {
      this.show({ kind: 'stopped', reason: 'the server stopped; the log says why, and Restart starts it again' });
    }
  }

  private show(state: ServerState): void {
    this.state = state;
    this.stateChanged.fire(state);
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
        ...ACCEPTANCE,
        workspace: {
          configuration: ({ items }) =>
            items.map(({ section }) => (section === SECTION ? windowSettings(this.names, inspect) : null)),
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
