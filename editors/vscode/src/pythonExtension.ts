/** The interpreter selected in Microsoft's Python extension, where that is installed. */

import * as vscode from 'vscode';

/** The part of the extension's API that is used here. */
interface PythonApi {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly id: string; readonly path: string };
    resolveEnvironment(
      environment: { readonly id: string; readonly path: string },
    ): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
  };
}

/**
 * Return the path of the selected interpreter, undefined if there is none. An untrusted workspace is not asked: the
 * interpreter may be a file inside it.
 */
export async function selectedInterpreter(log: vscode.LogOutputChannel): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>('ms-python.python');
  if (!extension || !vscode.workspace.isTrusted) {
    return undefined;
  }
  try {
    const { environments } = await extension.activate();
    const resource = vscode.workspace.workspaceFolders?.[0]?.uri;
    const active = environments?.getActiveEnvironmentPath(resource);
    const environment = active && (await environments?.resolveEnvironment(active));
    return environment?.executable.uri?.fsPath;
  } catch (error) {
    log.warn(`the Python extension names no interpreter: ${error}`);
    return undefined;
  }
}
