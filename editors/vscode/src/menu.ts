/** The menu behind the status bar item. */

import type { View } from './status';

export interface MenuItem {
  readonly label: string;
  readonly description?: string;
  /** Name of the command that choosing it runs. */
  readonly command: string;
}

/** A line with a title between groups of items. */
export interface MenuTitle {
  readonly title: string;
}

/** Return what can be done now. */
export function menuItems(view: View): (MenuItem | MenuTitle)[] {
  const { place } = view;
  const running = view.server.kind === 'running';
  return [
    { title: 'Suggestions' },
    toggle(view.isEnabled, '', 'until this window is closed', 'toggleSession'),
    ...(place?.isServed && view.isEnabled
      ? [
          toggle(place.isLanguageEnabled, ` for ${place.language}`, 'in your settings', 'toggleLanguage'),
          toggle(place.isFileEnabled, ' for this file', 'until this window is closed', 'toggleFile'),
        ]
      : []),
    ...(running
      ? [
          { label: '$(question) Why was nothing suggested?', command: 'tabby-ls.explain' },
          { label: '$(graph) Show statistics', command: 'tabby-ls.showStatistics' },
        ]
      : []),
    { title: 'Server' },
    { label: '$(plug) Connect a server…', command: 'tabby-ls.connect' },
    { label: '$(key) Set API key…', command: 'tabby-ls.setApiKey' },
    { label: '$(debug-restart) Restart', command: 'tabby-ls.restart' },
    { label: '$(output) Show log', command: 'tabby-ls.showLog' },
    { title: 'Help' },
    { label: '$(gear) Open settings', command: 'tabby-ls.openSettings' },
    { label: '$(book) Get started', command: 'tabby-ls.getStarted' },
  ];
}

function toggle(isOn: boolean, what: string, description: string, command: string): MenuItem {
  const label = isOn ? `$(circle-slash) Switch off${what}` : `$(check) Switch on${what}`;
  return { label, description, command: `tabby-ls.${command}` };
}
