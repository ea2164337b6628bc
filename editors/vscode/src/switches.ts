/** What the user has switched on or off until the window is closed; it outlives the server process. */

/** What the server's command `tabby-ls.toggle` takes. */
export type Toggle =
  | { readonly scope: 'session'; readonly enabled: boolean }
  | { readonly scope: 'file'; readonly uri: string; readonly enabled: boolean };

export class Switches {
  private session: boolean | undefined;
  private readonly files = new Map<string, boolean>();

  /** Whether anything is suggested, where the settings say `setting`. */
  isEnabled(setting: boolean): boolean {
    return this.session ?? setting;
  }

  isFileEnabled(uri: string): boolean {
    return this.files.get(fileOf(uri)) ?? true;
  }

  /** Switch on or off; returns what the server is to be told. */
  toggleSession(setting: boolean): Toggle {
    this.session = !this.isEnabled(setting);
    return { scope: 'session', enabled: this.session };
  }

  toggleFile(uri: string): Toggle {
    const enabled = !this.isFileEnabled(uri);
    const file = fileOf(uri);
    this.files.set(file, enabled);
    return { scope: 'file', uri: file, enabled };
  }

  /** What the user says in the settings counts again: it was said later. */
  forgetSession(): void {
    this.session = undefined;
  }

  /** Return what a new server process is to be told. */
  all(): Toggle[] {
    return [
      ...(this.session === undefined ? [] : [{ scope: 'session' as const, enabled: this.session }]),
      ...[...this.files].map(([uri, enabled]) => ({ scope: 'file' as const, uri, enabled })),
    ];
  }
}

/** A notebook's cells are one file: their addresses differ in what follows the path. */
function fileOf(uri: string): string {
  return uri.startsWith('vscode-notebook-cell:') ? uri.replace(/#.*/, '') : uri;
}
