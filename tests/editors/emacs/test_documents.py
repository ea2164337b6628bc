"""The server's document is Emacs' buffer, whatever was done to it."""

from __future__ import annotations

from typing import Any

from tests.editors.emacs.emacs import Emacs
from tests.editors.emacs.test_ghost_text import USE
from tests.editors.scripts import going_on_to
from tests.editors.workspace import Workspace
from tests.support.tabbyapi import ScriptedTabbyAPI

#: Text with what makes positions differ: astral characters, tabs, form feeds, line separators, a carriage return.
_TEXT = "x = '😀é'\n\tif x:\f\n        y\u2028z\r\nlast 𝒳 line"

#: Many changes of every kind, with a seed: what a person does, and what only programs do.
_CHANGES = """\
(let ((undo-inhibit-record-point t))
  (random "{seed}")
  (buffer-enable-undo)
  (dotimes (_ 120)
    (let ((a (+ (point-min) (random (1+ (buffer-size)))))
          (b (+ (point-min) (random (1+ (buffer-size))))))
      (goto-char a)
      (pcase (random 14)
        (0 (insert "abc"))
        (1 (insert "\\n\\n😀\\t\\n"))
        (2 (delete-region (min a b) (min (max a b) (+ 12 (min a b)))))
        (3 (upcase-region (min a b) (max a b)))
        (4 (ignore-errors (transpose-lines 1)))
        (5 (save-excursion (goto-char (point-min)) (while (search-forward "a" nil t) (replace-match "A😀"))))
        (6 (save-restriction (narrow-to-region (min a b) (max a b)) (goto-char (point-max)) (insert "\\nnarrow")))
        (7 (undo-boundary) (ignore-errors (undo)))
        (8 (subst-char-in-region (min a b) (max a b) ?x ?y))
        (9 (let ((inhibit-modification-hooks t)) (insert "behind the hooks")))
        (10 (ignore-errors (kill-line)) (forward-line -1) (yank))
        (11 (insert (unibyte-char-to-multibyte 200) "\\r"))
        (12 (indent-rigidly (min a b) (max a b) 2))
        (13 (combine-change-calls (min a b) (max a b)
              (delete-region (min a b) (max a b)) (insert "combined\\n"))))
      (when (zerop (random 3)) (tabby-ls-document-flush))))
  (tabby-ls-document-flush)
  (tabby-ls--whole-text))
"""


def _replay(messages: list[tuple[str, Any]], uri: str) -> str:
    """The document that a server has after these messages; positions count characters (UTF-32)."""
    text = ""
    for by, message in messages:
        params = message.get("params") or {}
        if by != "editor" or params.get("textDocument", {}).get("uri") != uri:
            continue
        if message["method"] == "textDocument/didOpen":
            text = params["textDocument"]["text"]
        for change in params.get("contentChanges", ()):
            if (where := change.get("range")) is None:
                text = change["text"]
                continue
            lines = text.split("\n")
            start, end = (
                sum(len(line) + 1 for line in lines[: place["line"]]) + place["character"]
                for place in (where["start"], where["end"])
            )
            assert all(
                place["character"] <= len(lines[place["line"]]) for place in (where["start"], where["end"])
            )
            text = text[:start] + change["text"] + text[end:]
    return text


def test_every_change_arrives(local_workspace: Workspace) -> None:
    local_workspace.write("many.py", _TEXT)
    with Emacs(local_workspace, "many.py", init=USE) as emacs:
        emacs.wait_until_open()
        uri = emacs.string("tabby-ls--uri")
        for seed in range(8):
            there = emacs.string(_CHANGES.replace("{seed}", str(seed)))
            emacs.wait_for(
                lambda: _replay(local_workspace.messages, uri) == there  # noqa: B023
            )
        changes = local_workspace.sent("textDocument/didChange")
        assert any("range" in change for params in changes for change in params["contentChanges"])
        assert any("range" not in change for params in changes for change in params["contentChanges"])
        # The server keeps up with all of it, and answers.
        emacs.evaluate("(tabby-ls-complete)")
        emacs.wait_for(lambda: local_workspace.answers("textDocument/inlineCompletion"))


def test_an_indirect_buffer_is_the_same_document(workspace: Workspace, backend: ScriptedTabbyAPI) -> None:
    workspace.write("sum.py", "x = 1\n")
    backend.reply(going_on_to("return a + b\n"))
    with Emacs(workspace, "sum.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.type("def add(a, b):\rre")
        emacs.wait_for_ghost("turn a + b")
        uri = emacs.string("tabby-ls--uri")
        emacs.keys("C-x", "4", "c")
        emacs.wait_for(lambda: emacs.string("(buffer-name)") == "sum.py<2>")
        assert emacs.ghost == ""  # nor what its base shows
        emacs.type("t")
        emacs.wait_for_ghost("urn a + b")
        emacs.keys("Tab")
        emacs.wait_for(lambda: emacs.text.startswith("def add(a, b):\n    return a + b|"))
        emacs.keys("C-x", "k", "Enter")
        emacs.wait_for(lambda: emacs.string("(buffer-name)") == "sum.py")
        emacs.keys("M-<", "C-e", "Enter")
        emacs.type("re")
        emacs.wait_for_ghost("turn a + b")
        assert not workspace.sent("textDocument/didClose")
        assert _replay(workspace.messages, uri) == emacs.text.replace("|", "")


def test_files_are_saved_renamed_and_closed(local_workspace: Workspace) -> None:
    local_workspace.write("one.py", "x = 1\n")
    with Emacs(local_workspace, "one.py", init=USE) as emacs:
        emacs.wait_until_open()
        emacs.type("y")
        emacs.save()
        emacs.wait_for(lambda: local_workspace.sent("textDocument/didSave"))
        emacs.keys("C-x", "C-w")
        emacs.type("tw€ o.py\r")
        emacs.wait_for(
            lambda: any(
                opened["textDocument"]["uri"].endswith("/tw%E2%82%AC%20o.py")
                for opened in local_workspace.sent("textDocument/didOpen")
            )
        )
        assert local_workspace.sent("textDocument/didClose")[0]["textDocument"]["uri"].endswith("/one.py")
        emacs.keys("C-x", "k", "Enter")
        emacs.wait_for(lambda: len(local_workspace.sent("textDocument/didClose")) == 2)
