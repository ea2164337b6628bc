/** The menu behind the status bar item. */

import type { View } from './status';

export interface MenuItem {
  readonly label: string;
  readonly description?: string;
  /** Name of the command that choosing it runs. */
  readonly command: string;
}

/** Return what can be done now. */
export function menuItems(view: View): MenuItem[] {
  const language = view.language;
  return [
    view.isEnabled
      ? { label: '$(circle-slash) Disable', description: 'for this session', command: 'tabby-ls.toggle' }
      : { label: '$(check) Enable', description: 'for this session', command: 'tabby-ls.toggle' },
    ...(language === undefined
      ? []
      : [
          {
            label: view.isLanguageEnabled ? `$(circle-slash) Disable for ${language}` : `$(check) Enable for ${language}`,
            description: 'in your settings',
            command: 'tabby-ls.toggleLanguage',
          },
        ]),
    { label: '$(output) Show log', command: 'tabby-ls.showLog' },
    { label: '$(debug-restart) Restart server', command: 'tabby-ls.restart' },
    { label: '$(key) Set API key', command: 'tabby-ls.setApiKey' },
    { label: '$(gear) Open settings', command: 'tabby-ls.openSettings' },
  ];
}
