"""Completes code through a server that has only a chat endpoint, OpenAI's `/v1/chat/completions`.

The message shows the file with a mark at the cursor and asks for what belongs there. This is the last resort: a chat
model is slower, repeats what is there, and may put its answer into a code fence or among sentences. So its answers
are marked (:attr:`~tabby_ls.backends.backend.Infill.is_chat`), and `engine/shaping/chat.py` takes the code out of them.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from tabby_ls.backends.backend import Infill, TextStream
from tabby_ls.backends.hosted import read_choice
from tabby_ls.backends.openai import OpenAIBackend
from tabby_ls.settings import BackendSettings

#: Marks where the answer belongs, in brackets that are rare in code.
_HOLE = "⟦HOLE⟧"
_SYSTEM = (
    "You complete source code. You are shown a file in which {hole} marks a place. Answer with exactly the text that "
    "belongs there: no explanation, no code fence, nothing of what stands before or after {hole}. Keep the style and "
    "the indentation of the file. Stop where the file can go on by itself. If nothing belongs there, answer with nothing."
)


class ChatBackend(OpenAIBackend):
    """A server with OpenAI's Chat API at one address."""

    kind = "chat"
    renders_prompts = True
    is_chat = True
    takes_snippets = True

    def __init__(self, settings: BackendSettings, software: str = "") -> None:
        super().__init__(settings, software)
        self.label = f"chat with {software}" if software else "chat"

    async def fills_in(self, family: str | None, *, has_template: bool) -> bool:
        """Return True: it is asked in words."""
        return True

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Open a stream of text. Leaving the block closes the connection at once."""
        others = "".join(f"{snippet.path}:\n{snippet.text}\n\n" for snippet in infill.snippets)
        hole = _HOLE
        while hole in infill.prefix or hole in infill.suffix:  # in the source of this very module
            hole = f"⟦{hole}⟧"
        question = f"{others}{infill.language}:\n{infill.prefix}{hole}{infill.suffix}"
        body = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": _SYSTEM.format(hole=hole)},
                {"role": "user", "content": question},
            ],
            "max_tokens": infill.max_tokens,
            "temperature": infill.temperature,
            "stream": True,
        }
        private = (others, infill.prefix, infill.suffix)
        return self.server.text(
            "/v1/chat/completions", body, read_choice, private=private, ends_when_finished=False
        )
