/** What the status bar says. */

/** What the server tells by `tabby-ls/status`. */
export interface ServerStatus {
  readonly state: 'idle' | 'thinking' | 'error' | 'off';
  /** Who answers, for people: `TabbyAPI: Qwen2.5-Coder-1.5B`, or `local model`. */
  readonly backend: string;
  /** Why, for `error` and `off`. */
  readonly message: string;
}

/** What is known of the server process. */
export type ServerState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'stopped'; readonly reason: string }
  | { readonly kind: 'running'; readonly status: ServerStatus };

/** The active editor, as far as suggestions are concerned. */
export interface Place {
  /** False for what is neither a file nor a cell of a notebook, such as the output, or a former version in a diff. */
  readonly isServed: boolean;
  /** Whether VS Code itself shows ghost text there. */
  readonly showsGhostText: boolean;
  readonly language: string;
  readonly isLanguageEnabled: boolean;
  readonly isFileEnabled: boolean;
}

/** Everything the user is shown: by the status bar and by its menu. */
export interface View {
  readonly server: ServerState;
  /** Whether anything is suggested in this window. */
  readonly isEnabled: boolean;
  /** Undefined where no text is edited. */
  readonly place: Place | undefined;
}

export type Severity = 'none' | 'warning' | 'error';

export interface StatusText {
  readonly icon: string;
  /** In a sentence without a full stop. */
  readonly state: string;
  /** Who answers; empty where that is not known. */
  readonly backend: string;
  readonly severity: Severity;
}

/**
 * Return the status in words. Who has switched it off is not bothered with errors. A backend in trouble is a warning,
 * since the local model stands in for it; a server that does not run is an error.
 */
export function describe(view: View): StatusText {
  const { server, place } = view;
  // What ails the backend names the one that stands in.
  const backend = server.kind === 'running' && server.status.state !== 'error' ? server.status.backend : '';
  const text = (icon: string, state: string, severity: Severity = 'none'): StatusText => ({
    icon,
    state: state.replace(/\.$/, ''),
    backend,
    severity,
  });
  if (!view.isEnabled) {
    return text('circle-slash', 'off');
  }
  if (server.kind === 'stopped') {
    return text('error', server.reason, 'error');
  }
  if (server.kind === 'starting') {
    return text('loading~spin', 'starting');
  }
  if (place && !place.isLanguageEnabled) {
    return text('circle-slash', `off for ${place.language}`);
  }
  if (place && !place.isFileEnabled) {
    return text('circle-slash', 'off for this file');
  }
  if (server.status.state === 'error') {
    return text('warning', server.status.message, 'warning');
  }
  if (place && !place.isServed) {
    return text('circle-slash', 'off here: only files, unsaved ones too, and cells of notebooks get suggestions');
  }
  if (place && !place.showsGhostText) {
    return text('circle-slash', "off: VS Code's setting `editor.inlineSuggest.enabled` is off");
  }
  switch (server.status.state) {
    case 'off':
      return text('circle-slash', `off: ${server.status.message}`);
    case 'thinking':
      return text('loading~spin', 'thinking');
    case 'idle':
      return text('sparkle', 'idle');
  }
}
