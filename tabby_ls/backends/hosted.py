"""Completes code through hosted fill-in-the-middle APIs, which take prefix, suffix and a key: Mistral, DeepSeek, Mercury.

Source: their API references. Mistral's `/v1/fim/completions` streams in the shape of a chat (`delta.content`), on
codestral.mistral.ai with a key of its own; DeepSeek's `/beta/completions` streams in the shape of a completion,
takes at most 4096 `max_tokens` and 16 `stop`; Inception's `/v1/fim/completions` serves Mercury.
Both shapes are read from all of them: gateways in between turn one into the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from attrs import frozen

from tabby_ls.backends.backend import Infill, ModelInfo, TextStream
from tabby_ls.backends.remote import RemoteBackend
from tabby_ls.backends.streams import Piece
from tabby_ls.settings import BackendSettings


@frozen
class Service:
    """Where a service is, and which of its models is asked unless the user names another."""

    label: str
    url: str
    path: str
    model: str
    #: Longest prompt in tokens that is worth its price and time; the services take far more.
    max_prompt_tokens: int = 8192
    #: What to send for "nothing follows", where an empty suffix is not allowed.
    no_suffix: str = ""


SERVICES: Mapping[str, Service] = {
    "mistral": Service("Mistral", "https://codestral.mistral.ai", "/v1/fim/completions", "codestral-latest"),
    "deepseek": Service("DeepSeek", "https://api.deepseek.com/beta", "/completions", "deepseek-chat"),
    "mercury": Service(
        "Mercury",
        "https://api.inceptionlabs.ai",
        "/v1/fim/completions",
        "mercury-edit-2",
        no_suffix="<|endoftext|>",
    ),
}


class HostedBackend(RemoteBackend):
    """One hosted service."""

    renders_prompts = True

    def __init__(self, settings: BackendSettings) -> None:
        self.kind: str = settings.kind
        self._service = SERVICES[settings.kind]
        self.label = self._service.label
        super().__init__(settings, url=self._service.url)

    async def model(self) -> ModelInfo:
        """Return the model that will be asked; nothing is sent for that."""
        await self.server.client()  # whether there is a key is known before the first keystroke
        return ModelInfo(self._model, self._service.max_prompt_tokens)

    @property
    def _model(self) -> str:
        return self.server.settings.model or self._service.model

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Open a stream of text. Leaving the block closes the connection at once."""
        body = {
            "model": self._model,
            "prompt": infill.prefix,
            "suffix": infill.suffix or self._service.no_suffix,
            "max_tokens": infill.max_tokens,
            "temperature": infill.temperature,
            "stream": True,
        }
        private = (infill.prefix, infill.suffix)
        return self.server.text(
            self._service.path, body, read_choice, private=private, ends_when_finished=False
        )


def read_choice(event: Mapping[str, Any]) -> Piece:
    """Read an event of a chat or of a completion; a last one with no choices only counts tokens."""
    if not event["choices"]:
        return Piece()
    choice = event["choices"][0]
    said = choice.get("delta") or choice.get("message") or choice
    text = said.get("content") or said.get("text") or ""
    reason = choice.get("finish_reason")
    return Piece(text, reason is not None, reason == "length")
