"""Completes code through Tabby (TabbyML), which takes prefix and suffix and answers in one piece.

Not to be mistaken for TabbyAPI: its `/v1/completions` has the same address as OpenAI's and nothing else in common.
Source: its code (services/completion.rs, services/health.rs, routes/completions.rs) and its pages on code completion:

- It writes the prompt itself, with the model's own template, and reads special tokens in the text as such.
- It cuts the finished prompt from its beginning to `max_input_length` bytes, 1536 unless its configuration says
  otherwise: what is too long loses the token that the template begins with.
- Its configuration, not the request, says how many tokens it writes: 64 (`max_decoding_tokens`). It stops at a blank line.
- Only what names a git repository that it knows (`git_url`) is searched for snippets of its own.
- Without a model for completions `/v1/health` names none, and a completion is answered with 501.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from tabby_ls.backends.backend import BackendError, Infill, ModelInfo, TextStream, Trouble
from tabby_ls.backends.remote import RemoteBackend
from tabby_ls.backends.streams import Piece

#: Longest prompt in bytes without the template, whose tokens have up to 80 (DeepSeek's).
_MAX_BYTES = 1536 - 80
#: It counts bytes, we tokens: so many bytes are taken for one.
_BYTES_PER_TOKEN = 3


class TabbyBackend(RemoteBackend):
    """A Tabby server at one address."""

    kind = "tabby"
    label = "Tabby"
    renders_prompts = True
    #: By default it answers one request at a time (`--parallelism`).
    max_in_flight = 1

    async def model(self) -> ModelInfo:
        """Return the model for completions."""
        health = (await self.server.ask("GET", "/v1/health")).data
        name = health.get("model")
        if not isinstance(name, str):
            raise BackendError(
                Trouble.NO_MODEL,
                f"the server at {self.server.url} has no model for completions; start it with one, "
                "`tabby serve --model`",
            )
        return ModelInfo(name, _MAX_BYTES // _BYTES_PER_TOKEN)

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Ask for the answer, which comes in one piece. Leaving the block closes the connection at once."""
        body = {
            "language": infill.language,
            "segments": {"prefix": infill.prefix, "suffix": infill.suffix},
            "temperature": infill.temperature,
        }
        return self.server.text("/v1/completions", body, _read, private=(infill.prefix, infill.suffix))

    async def count_tokens(self, text: str) -> int | None:
        """Return as how many tokens `text` counts towards the longest prompt."""
        return len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN


def _read(answer: Mapping[str, Any]) -> Piece:
    return Piece(answer["choices"][0]["text"], has_ended=True)
