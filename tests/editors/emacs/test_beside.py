"""tabby-ls in Emacs beside and inside what people use already: Eglot, lsp-mode, Company, Evil."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.editors.emacs.emacs import Emacs
from tests.editors.emacs.test_ghost_text import ADD, USE
from tests.editors.scripts import going_on_to
from tests.editors.workspace import Workspace
from tests.support import debian
from tests.support.tabbyapi import ScriptedTabbyAPI

RETURN = going_on_to("return a + b\n", "if a:\n        return a\n", "frobnicate(a)\n")
OTHER = Path(__file__).with_name("other_server.py")


def packages(*names: str) -> str:
    """Lisp that finds packages, and what they need."""
    folder = debian.emacs_package("compat").parent
    assert all(debian.emacs_package(name).exists() for name in names)
    return f'(dolist (d (directory-files "{folder}" t "^[a-z]")) (add-to-list \'load-path d))\n'


def eglot(command: str) -> str:
    """Lisp that lets Eglot run a command for Python."""
    return f"""
      (require 'eglot)
      (setq eglot-sync-connect nil)
      (add-to-list 'eglot-server-programs '(python-base-mode . {command}))
      (add-hook 'python-base-mode-hook #'eglot-ensure)
    """


def test_the_users_own_server_in_eglot_stays(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(RETURN)
    own = eglot(f'("{sys.executable}" "{OTHER}")')
    with Emacs(workspace, "sum.py", init=own + USE) as emacs:
        emacs.wait_until_open()
        emacs.wait_for(lambda: emacs.evaluate("(and (eglot-current-server) t)") == "t")
        emacs.keys("Down", "C-e")
        emacs.type("frob")
        emacs.wait_for_ghost("nicate(a)")
        emacs.keys("C-M-i")
        emacs.wait_for_text("def add(a, b):\n    frobnicate|\n\nx = 1\n")
        # What the other server has inserted follows the suggestion, too.
        emacs.wait_for_ghost("(a)")
        emacs.keys("Tab")
        emacs.wait_for_text("def add(a, b):\n    frobnicate(a)|\n\nx = 1\n")


def test_eglot_with_nothing_but_tabby_ls(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(RETURN)
    with Emacs(workspace, "sum.py", init=eglot('("tabby-ls")')) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.wait_for(lambda: emacs.evaluate("(and (eglot-current-server) t)") == "t")
        emacs.keys("C-M-i")
        emacs.wait_for_text("def add(a, b):\n    return a + b|\n\nx = 1\n")


def test_company_with_eglot(workspace: Workspace, backend: ScriptedTabbyAPI, images: Path) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(RETURN)
    company = packages("company") + "(require 'company)\n(global-company-mode)\n"
    with Emacs(workspace, "sum.py", init=company + eglot('("tabby-ls")')) as emacs:
        emacs.wait_until_open()
        emacs.wait_for(lambda: emacs.evaluate("(and (eglot-current-server) t)") == "t")
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.terminal.wait_for_text("return a + b")
        emacs.terminal.save_svg(images / "emacs-company.svg", "A suggestion in Company's menu")
        emacs.keys("Enter")
        emacs.wait_for_text("def add(a, b):\n    return a + b|\n\nx = 1\n")


def test_ghost_text_waits_while_company_shows_its_menu(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    workspace.write("sum.py", "return_value = 1\n\n")
    backend.reply(going_on_to("return_value + 1\n"))
    company = packages("company") + "(require 'company)\n(global-company-mode)\n"
    with Emacs(workspace, "sum.py", init=company + USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down")
        emacs.type("return_v")
        emacs.wait_for(lambda: emacs.evaluate("(and company-candidates t)") == "t" or emacs.ghost)
        emacs.type("alue")
        emacs.keys("Escape", "Escape", "Escape")
        emacs.type(" ")
        emacs.wait_for_ghost("+ 1")


def test_ghost_text_is_hidden_while_a_menu_opens_by_itself(
    workspace: Workspace, backend: ScriptedTabbyAPI
) -> None:
    workspace.write("sum.py", "return_value = 1\n\n")
    backend.reply(going_on_to("return_value + 1\n"))
    company = (
        packages("company") + "(require 'company)\n(setq company-idle-delay nil)\n(global-company-mode)\n"
    )
    with Emacs(workspace, "sum.py", init=company + USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down")
        emacs.type("return_v")
        emacs.wait_for_ghost("alue + 1")
        emacs.evaluate(
            "(company-idle-begin (current-buffer) (selected-window) (buffer-chars-modified-tick) (point))"
        )
        emacs.wait_for(lambda: emacs.evaluate("tabby-ls-ghost-active") == "nil")
        assert emacs.evaluate("(and company-candidates t)") == "t"
        emacs.quit()
        emacs.wait_for_ghost("alue + 1")
        emacs.keys("Tab")
        emacs.wait_for_text("return_value = 1\nreturn_value + 1|\n")


def test_evil_shows_ghost_text_in_insert_state_only(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(RETURN)
    with Emacs(workspace, "sum.py", init=packages("evil") + "(require 'evil)\n(evil-mode)\n" + USE) as emacs:
        emacs.wait_until_open()
        emacs.keys("j", "A")
        emacs.type("ret")
        emacs.wait_for_ghost("urn a + b")
        emacs.keys("Escape")
        emacs.wait_for_ghost("")
        emacs.keys("x")
        emacs.wait_for_text("def add(a, b):\n    r|e\n\nx = 1\n")
        emacs.keys("A")
        emacs.type("t")
        emacs.wait_for_ghost("urn a + b")
        emacs.keys("M-f")
        emacs.wait_for_ghost(" a + b")
        emacs.keys("C-e")
        emacs.wait_for_text("def add(a, b):\n    return a + b|\n\nx = 1\n")


def test_lsp_mode_shows_ghost_text(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", ADD)
    backend.reply(RETURN)
    lisp = (
        packages("lsp-mode")
        + """
      (load "lsp-mode-autoloads")
      (require 'lsp-mode)
      (setq lsp-keep-workspace-alive nil lsp-auto-guess-root t lsp-enable-suggest-server-download nil
            lsp-inline-completion-idle-delay 0.3 lsp-session-file (expand-file-name "~/lsp-session") lsp-warn-no-matched-clients nil)
      (lsp-register-client
       (make-lsp-client :new-connection (lsp-stdio-connection '("tabby-ls"))
                        :activation-fn (lambda (&rest _) t)
                        :add-on? t :priority -2 :server-id 'tabby-ls
                        :completion-in-comments? t))
      (add-hook 'python-mode-hook #'lsp)
    """
    )
    with Emacs(workspace, "sum.py", init=lisp) as emacs:
        emacs.wait_until_open()
        emacs.keys("Down", "C-e")
        emacs.type("ret")
        emacs.terminal.wait_for_text("    return a + b")
        emacs.evaluate("(lsp-inline-completion-accept)")
        emacs.wait_for_text("def add(a, b):\n    return a + b|\n\nx = 1\n")
