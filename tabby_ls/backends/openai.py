"""Completes code through any server with OpenAI's `/v1/completions`: vLLM, SGLang, LM Studio, LiteLLM. Prompts are ours.

Source: their documentation and issue trackers. vLLM answers `suffix` with 400; SGLang fills in by itself only if it was
started with `--completion-template`; LM Studio, TabbyAPI and many others accept a suffix and ignore it. So a suffix is
sent only where the server was seen to make use of one: the prompt became longer by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from tabby_ls.backends.backend import BackendError, Infill, ModelInfo, TextStream, Trouble
from tabby_ls.backends.remote import RemoteBackend
from tabby_ls.completions import CompletionRequest
from tabby_ls.settings import BackendSettings

#: Asked to see whether a suffix counts: this text is nobody's.
_PROBE_PREFIX, _PROBE_SUFFIX = (
    "def add(a, b):\n    return ",
    "\n\n\ndef subtract(a, b):\n    return a - b\n" * 4,
)
#: Hosted APIs refuse more (OpenAI: 4, DeepSeek: 16). Our own reading of the answer stops at every special token anyway.
_MAX_STOPS = 4
#: Lists which models are loaded, and with which context; `/v1/models` does neither.
_LM_STUDIO_MODELS = "/api/v0/models"
#: The context holds prompt and answer: so many tokens of it are kept for the answer.
_ANSWER_TOKENS = 256


class OpenAIBackend(RemoteBackend):
    """A server with OpenAI's Completions API at one address."""

    kind = "openai"

    def __init__(self, settings: BackendSettings, software: str = "") -> None:
        """`software` is what the server says it is, "" if it does not."""
        self.label = software or "OpenAI-compatible server"
        super().__init__(settings, software=software or "a server with /v1/completions")
        self._model = settings.model
        #: Whether a suffix counts, by model.
        self._suffix_works: dict[str, bool] = {}

    async def model(self) -> ModelInfo:
        """Return the model of the settings, or else the first one the server lists, a loaded one first."""
        path = _LM_STUDIO_MODELS if self.label == "LM Studio" else "/v1/models"
        reply = await self.server.ask("GET", path, accept=(200, 404, 405))
        served = sorted(reply.cards, key=lambda card: card.get("state", "loaded") != "loaded")
        wanted = self.server.settings.model
        if not wanted and not served:
            raise BackendError(
                Trouble.NO_MODEL,
                f"the server at {self.server.url} names no model; name one in the setting `model`",
            )
        card = next((card for card in served if card.get("id") == wanted), None if wanted else served[0])
        self._model = wanted or str((card or {}).get("id", ""))
        return ModelInfo(self._told_name(card), _limit(card))

    def _told_name(self, card: Mapping[str, Any] | None) -> str:
        """Return the name that tells most: behind an alias, vLLM names the model's path as its root."""
        root = (card or {}).get("root")
        return root if isinstance(root, str) and root else self._model

    async def fills_in(self, family: str | None, *, has_template: bool) -> bool:
        """Return whether to send a suffix: where no prompt can be written and the server was seen to use one."""
        if has_template:
            return False
        if self._model not in self._suffix_works:
            self._suffix_works[self._model] = await self._uses_suffix()
        return self._suffix_works[self._model]

    async def _uses_suffix(self) -> bool:
        """Return whether the server counts more prompt tokens with a suffix: at least one for each of its lines."""
        lengths = []
        for extra in ({}, {"suffix": _PROBE_SUFFIX}):
            body = {"model": self._model, "prompt": _PROBE_PREFIX, "max_tokens": 1, "temperature": 0} | extra
            reply = await self.server.ask("POST", "/v1/completions", body, accept=(200, 400, 422))
            usage = reply.data.get("usage")
            length = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
            if reply.status != 200 or not isinstance(length, int):
                return False
            lengths.append(length)
        return lengths[1] >= lengths[0] + _PROBE_SUFFIX.count("\n")

    def stream(self, infill: Infill) -> AbstractAsyncContextManager[TextStream]:
        """Open a stream of text. Leaving the block closes the connection at once."""
        return self.server.completion(
            CompletionRequest(
                prompt=infill.prefix if infill.prompt is None else infill.prompt,
                suffix=infill.suffix if infill.prompt is None else None,
                max_tokens=infill.max_tokens,
                temperature=infill.temperature,
                stop=infill.stop[:_MAX_STOPS] or None,
                model=self._model or None,
            )
        )

    async def count_tokens(self, text: str) -> int | None:
        """Return how many tokens `text` is, where the server has vLLM's `/tokenize`."""
        body = {"model": self._model, "prompt": text, "add_special_tokens": False}
        try:
            reply = await self.server.ask("POST", "/tokenize", body, private=(text,))
        except BackendError:
            return None
        count = reply.data.get("count")
        return count if isinstance(count, int) else None


def _limit(card: Mapping[str, Any] | None) -> int | None:
    """Return the longest prompt, from the names that vLLM and SGLang, and LM Studio have for the context."""
    for name in ("max_model_len", "loaded_context_length", "max_context_length", "context_length"):
        length = (card or {}).get(name)
        if isinstance(length, int) and length > 0:
            return max(1, length - _ANSWER_TOKENS)
    return None
