"""Completes code through Ollama: `/api/generate`, with a suffix where the model's template has a place for it.

Other models get a prompt of ours. Source: its documentation (docs/api.md) and code (server/routes.go):

- `/api/show` lists "insert" among a model's capabilities if its template takes a suffix; a suffix for any other
  model is answered with 400 "does not support insert".
- The template's branch for filling in is taken only if the prompt and the suffix are not empty: with an empty suffix
  the *chat* template answers, with an empty prompt the model is only loaded.
- The text goes through the template into one prompt, so special tokens in it are seen as such.
- `raw` leaves the template out. Streams are NDJSON and end with `"done": true`; closing one stops it.
- A model is dropped from memory 5 minutes after its last request unless `keep_alive` says otherwise; a prompt longer than
  `num_ctx` is cut from its start without a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from tabby_ls.backends.backend import BackendError, Infill, ModelInfo, TextStream, Trouble
from tabby_ls.backends.remote import RemoteBackend
from tabby_ls.backends.streams import Piece
from tabby_ls.completions.lines import LineParser
from tabby_ls.settings import BackendSettings

#: Context asked for, in tokens: the same in each request, because another one loads the model anew.
_CONTEXT = 8192
#: Names that promise code completion, for when the user names no model: the first one installed that fits is taken.
_FOR_CODE = re.compile(r"code|coder|codestral|starcoder|codegemma|granite|mellum", re.IGNORECASE)


class OllamaBackend(RemoteBackend):
    """An Ollama server at one address."""

    kind = "ollama"
    label = "Ollama"
    #: By default it answers one request at a time for each model (OLLAMA_NUM_PARALLEL) and queues the others.
    max_in_flight = 1

    def __init__(self, settings: BackendSettings) -> None:
        super().__init__(settings)
        self._model = settings.model
        self._inserts = False

    async def model(self) -> ModelInfo:
        """Return the model of the settings, or else one for code, or else any; of each, one in memory before others."""
        name = self.server.settings.model or await self._choose()
        reply = await self.server.ask("POST", "/api/show", {"model": name}, accept=(200, 404))
        if reply.status != 200:
            raise BackendError(
                Trouble.NO_MODEL,
                f"the server at {self.server.url} has no model {name}; try `ollama pull {name}`",
            )
        self._model = name
        self._inserts = _inserts(reply.data)
        trained = next(
            (n for key, n in _table(reply.data.get("model_info")).items() if key.endswith(".context_length")),
            None,
        )
        room = min(_CONTEXT, trained) if isinstance(trained, int) else _CONTEXT
        return ModelInfo(name, room - 1)  # one token must be left for an answer

    async def _choose(self) -> str:
        loaded = _names((await self.server.ask("GET", "/api/ps", accept=(200, 404))).data)
        installed = _names((await self.server.ask("GET", "/api/tags")).data)
        names = [*loaded, *installed]
        for name in [*filter(_FOR_CODE.search, names), *names]:
            return name
        raise BackendError(
            Trouble.NO_MODEL,
            f"the server at {self.server.url} has no model; try `ollama pull qwen2.5-coder:1.5b-base`",
        )

    async def fills_in(self, family: str | None, *, has_template: bool) -> bool:
        """Return whether the model's template takes a suffix."""
        return self._inserts

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Open a stream of text. Leaving the block closes the connection at once."""
        options: dict[str, Any] = {
            "num_predict": infill.max_tokens,
            "temperature": infill.temperature,
            "num_ctx": _CONTEXT,
        }
        if infill.stop:  # an empty list would take away the stops of the model's own file
            options["stop"] = list(infill.stop)
        body: dict[str, Any] = {
            "model": self._model,
            "options": options,
            "stream": True,
            "keep_alive": _seconds(self.server.settings.keep_alive),
        }
        if infill.prompt is not None:
            body |= {"prompt": infill.prompt, "raw": True}
            private: tuple[str, ...] = (infill.prompt,)
        else:
            # Neither may be empty, and a line end changes nothing.
            body |= {"prompt": infill.prefix or "\n", "suffix": infill.suffix or "\n"}
            private = (infill.prefix, infill.suffix)
        return self.server.text("/api/generate", body, _read, private=private, parser=LineParser())


def _read(event: Mapping[str, Any]) -> Piece:
    return Piece(event.get("response", ""), event["done"], event.get("done_reason") == "length")


def _inserts(card: Mapping[str, Any]) -> bool:
    """Return whether a model's card says that it takes a suffix; versions before 0.6.4 only show the template."""
    capabilities = card.get("capabilities")
    if isinstance(capabilities, list):
        return "insert" in capabilities
    return ".Suffix" in str(card.get("template", ""))


def _names(listing: Mapping[str, Any]) -> list[str]:
    models = listing.get("models")
    return [str(model["name"]) for model in models if "name" in model] if isinstance(models, list) else []


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _seconds(keep_alive: str) -> str | int:
    """Return a duration as Ollama takes it: numbers are seconds, and only as numbers may they be negative."""
    return int(keep_alive) if re.fullmatch(r"-?\d+", keep_alive) else keep_alive
