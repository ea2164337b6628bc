/** What the status bar says. */

/** What is known of the server process and of its backend. */
export type ServerState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'error'; readonly reason: string };

/** Everything the user is shown: by the status bar and by its menu. */
export interface View {
  readonly server: ServerState;
  /** Whether anything is suggested in this window. */
  readonly isEnabled: boolean;
  /** Language of the active editor, if there is one. */
  readonly language: string | undefined;
  readonly isLanguageEnabled: boolean;
}

export interface StatusText {
  readonly text: string;
  readonly tooltip: string;
  readonly isError: boolean;
}

/** Return the status in words. Who has switched it off is not bothered with errors. */
export function describe(view: View): StatusText {
  const status = (icon: string, state: string, isError = false): StatusText => ({
    text: `$(${icon}) tabby-ls`,
    tooltip: `tabby-ls: ${state}`,
    isError,
  });
  if (!view.isEnabled) {
    return status('circle-slash', 'off');
  }
  switch (view.server.kind) {
    case 'error':
      return status('error', view.server.reason, true);
    case 'starting':
      return status('loading~spin', 'starting');
    case 'ready':
      return view.language !== undefined && !view.isLanguageEnabled
        ? status('circle-slash', `off for ${view.language}`)
        : status('sparkle', 'idle');
  }
}
