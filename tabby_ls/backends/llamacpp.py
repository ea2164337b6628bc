"""Completes code through llama.cpp's llama-server: `/infill`, or `/completion` with a prompt of ours.

What is used of it, measured with b11669 and read in its `tools/server` (format_prompt_infill, server_task):

- `/infill` puts `input_extra` before prefix and suffix, in the repository form of the model's own special
  tokens, reads special tokens in all of them as text, and answers 501 if the model has no such tokens. It
  always puts the prefix first (unless started with `--spm-infill`), so it is wrong for models that want the
  suffix first, and knows nothing of Codestral's, Seed-Coder's and Mellum's forms.
- It cuts prefix and suffix by itself to 3/4 and 1/4 of its batch (`-b`), whatever is sent.
- A stream ends with `"stop": true` and its `stop_type`; there is no `[DONE]`.
- Closing a stream stops it within a token or two, but while it reads the prompt only if `return_progress` makes
  it write something. A request that is not streamed is never stopped.
- `t_max_predict_ms` counts from the first token and ends an answer only once it has a line end; `n_indent`
  ends it at a line that is indented less.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from tabby_ls.backends.backend import Infill, ModelInfo, Snippet, TextStream
from tabby_ls.backends.failures import NOT_IMPLEMENTED
from tabby_ls.backends.remote import RemoteBackend
from tabby_ls.backends.streams import Piece

#: Families whose form `/infill` does not write.
_OTHER_FORMS = frozenset({"codestral", "seed-coder", "mellum", "refact", "aixcoder", "codegeex"})
#: Milliseconds of writing after which an automatic answer of several lines ends at the next line end.
_WRITING_MS = 1500


class LlamaCppBackend(RemoteBackend):
    """A llama-server at one address."""

    kind = "llamacpp"
    label = "llama.cpp"
    takes_tokens_as_text = True
    takes_snippets = True
    reads_ahead = True

    async def model(self) -> ModelInfo:
        """Return the loaded model; 503 while it is being loaded."""
        properties = (await self.server.ask("GET", "/props")).data
        generation = properties.get("default_generation_settings")
        room = generation.get("n_ctx") if isinstance(generation, Mapping) else None
        slots = properties.get("total_slots")
        name = properties.get("model_alias") or properties.get("model_path")
        return ModelInfo(
            name if isinstance(name, str) else None,
            room - 1 if isinstance(room, int) and room > 1 else None,  # one token must be left for an answer
            slots if isinstance(slots, int) else None,
        )

    async def fills_in(self, family: str | None, *, has_template: bool) -> bool:
        """Return whether `/infill` can ask the model: asked to write nothing between nothing."""
        if family in _OTHER_FORMS or (family is not None and not has_template):
            return False
        nothing = {"input_prefix": "", "input_suffix": "", "n_predict": 0}
        accept = (200, 400, 404, NOT_IMPLEMENTED)
        return (await self.server.ask("POST", "/infill", nothing, accept=accept)).status == 200

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Open a stream of text. Leaving the block closes the connection at once."""
        body: dict[str, Any] = {
            "n_predict": infill.max_tokens,
            "temperature": infill.temperature,
            "stop": list(infill.stop),
            "cache_prompt": True,
            "stream": True,
            "return_progress": True,
        }
        if infill.prompt is not None:
            body["prompt"] = infill.prompt
            return self.server.text("/completion", body, _read, private=(infill.prompt,))
        if infill.max_lines > 1:
            body["n_indent"] = _indentation(infill.prefix)
            if not infill.invoked:
                body["t_max_predict_ms"] = _WRITING_MS
        body |= _around(infill.prefix, infill.suffix, infill.snippets)
        private = (infill.prefix, infill.suffix, *(snippet.text for snippet in infill.snippets))
        return self.server.text("/infill", body, _read, private=private)

    async def warm(self, snippets: tuple[Snippet, ...]) -> None:
        """Let the server read the snippets: they stand at the head of what it is asked next.

        It is asked for a stream, so that it stops reading when a request makes the caller cancel this.
        """
        body = _around("", "", snippets) | {"n_predict": 0, "cache_prompt": True, "temperature": 0}
        body |= {"stream": True, "return_progress": True}
        private = tuple(snippet.text for snippet in snippets)
        async with self.server.text("/infill", body, _read, private=private) as nothing:
            async for _ in nothing:
                pass

    async def count_tokens(self, text: str) -> int | None:
        """Return how many tokens `text` is."""
        body = {"content": text, "add_special": False, "parse_special": True}
        reply = await self.server.ask("POST", "/tokenize", body, accept=(200, 404), private=(text,))
        tokens = reply.data.get("tokens")
        return len(tokens) if isinstance(tokens, list) else None


def _around(prefix: str, suffix: str, snippets: tuple[Snippet, ...]) -> dict[str, Any]:
    # `prompt` stays empty: of all the texts, the server reads special tokens as such only there.
    extra = [{"filename": snippet.path, "text": snippet.text} for snippet in snippets]
    return {"input_prefix": prefix, "input_suffix": suffix, "input_extra": extra, "prompt": ""}


def _indentation(prefix: str) -> int:
    """Return by how many characters the cursor's line is indented."""
    line = prefix.rpartition("\n")[2]
    return len(line) - len(line.lstrip(" \t"))


def _read(event: Mapping[str, Any]) -> Piece:
    """Read one event. Progress of the prompt comes as events without text."""
    has_ended = bool(event.get("stop"))
    if not has_ended:
        return Piece(event.get("content", ""))
    return Piece(event["content"], True, event["stop_type"] == "limit", event.get("tokens_evaluated"))
