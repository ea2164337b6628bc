"""Scripted servers of the other protocols, after their documentation: what they answer, refuse and ignore.

llama.cpp is not among them: tests run the real one (`tests/support/llama_server.py`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.support.raw_http import HTTPError, head, send_whole
from tests.support.scripted_model import Generation, Plan, Tokenizer
from tests.support.scripted_server import Ended, Request, ScriptedServer

_MISSING = {"error": {"message": "No API key", "type": "invalid_request_error", "code": "invalid_api_key"}}


class _Streaming(ScriptedServer):
    """Streams lines; a subclass says how one looks."""

    key_errors = (_MISSING, _MISSING)
    content_type = "text/event-stream"

    def line(self, text: str, reason: str | None) -> str:
        """One line of the stream: new text, or why it ends."""
        raise NotImplementedError

    def prompt_of(self, body: Mapping[str, Any]) -> str:
        """What the model reads, as far as tests care."""
        return str(body.get("prompt", ""))

    def check(self, request: Request) -> None:
        """Refuse what the real server refuses."""
        self.check_key(request)
        if not isinstance(request.body, dict) or not request.body.get("model"):
            raise HTTPError(422, {"error": {"message": "model: Field required"}})

    async def complete(self, request: Request, writer: asyncio.StreamWriter, plan: Plan) -> Ended:
        self.check(request)
        if plan.ending == "hang before headers":
            await asyncio.Event().wait()
        options = request.body.get("options", request.body)
        limit = options.get("num_predict", options.get("max_tokens", 64))
        asked = {
            "prompt": self.prompt_of(request.body),
            "stop": options.get("stop") or [],
            "max_tokens": limit + 1,
            "stream": True,
        }
        generation = Generation(plan, asked)
        if not request.body.get("stream"):
            text = "".join([piece async for piece in self.generate(request, generation)])
            await send_whole(writer, 200, self.whole(request, text), *self.headers)
            return "complete"
        lines = (
            "cache-control: no-store",
            f"content-type: {self.content_type}",
            "transfer-encoding: chunked",
        )
        self.open_streams += 1
        try:
            writer.write(head(200, *lines, *self.headers))
            async for piece in self.generate(request, generation):
                await self._send(writer, self.line(piece, None))
            if plan.ending in ("hang", "pings"):
                await asyncio.Event().wait()
            if plan.ending == "cut":
                return "cut"
            if plan.ending == "error":
                await self._send(
                    writer, self.framed(json.dumps({"error": {"message": "CUDA out of memory"}}))
                )
            else:
                await self._send(writer, self.line("", generation.finish_reason))
                if self.content_type == "text/event-stream":
                    await self._send(writer, "data: [DONE]\n\n")
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        finally:
            self.open_streams -= 1
        return "complete"

    def framed(self, text: str) -> str:
        return f"data: {text}\n\n" if self.content_type == "text/event-stream" else f"{text}\n"

    def whole(self, request: Request, text: str) -> Any:
        return {
            "choices": [{"index": 0, "text": text, "finish_reason": "stop"}],
            "usage": self.usage(request.body),
        }

    def usage(self, body: Mapping[str, Any]) -> dict[str, int]:
        return {
            "prompt_tokens": len(Tokenizer(()).encode(self.prompt_of(body), bos=False)),
            "completion_tokens": 1,
        }

    async def _send(self, writer: asyncio.StreamWriter, line: str) -> None:
        raw = line.encode()
        writer.write(b"%x\r\n%b\r\n" % (len(raw), raw))
        await writer.drain()


class ScriptedOllama(_Streaming):
    """Ollama. `inserts`: whether the model's template has a place for the suffix."""

    completion_paths = ("/api/generate",)
    content_type = "application/x-ndjson"

    def __init__(self, *, model: str | None = "qwen2.5-coder:1.5b-base", inserts: bool = True) -> None:
        super().__init__(model=model)
        self.inserts = inserts
        self.shows_capabilities = True
        self.context_length = 32768
        self.others = ["llama3.2:3b"]
        self.is_loaded = False

    def look_up(self, request: Request) -> tuple[int, Any]:
        own = [{"name": self.model}] if self.model else []
        installed = [{"name": name} for name in self.others] + own
        match f"{request.method} {request.path}":
            case "GET /api/version":
                return 200, {"version": "0.12.3"}
            case "GET /api/ps":
                return 200, {"models": own if self.is_loaded else []}
            case "GET /api/tags":
                return 200, {"models": installed if self.model else []}
            case "GET /v1/models":
                return 200, {
                    "object": "list",
                    "data": [{"id": m["name"], "owned_by": "library"} for m in installed],
                }
            case "POST /api/show":
                if request.body["model"] != self.model:
                    return 404, {"error": f"model '{request.body['model']}' not found"}
                template = "{{ if .Suffix }}<|fim_prefix|>{{ .Prompt }}" if self.inserts else "{{ .Prompt }}"
                card: dict[str, Any] = {
                    "template": template,
                    "model_info": {"qwen2.context_length": self.context_length},
                }
                if self.shows_capabilities:
                    card["capabilities"] = ["completion", *(["insert"] if self.inserts else [])]
                return 200, card
        return 404, "404 page not found"

    def check(self, request: Request) -> None:
        body = request.body
        if body["model"] != self.model:
            raise HTTPError(404, {"error": f"model '{body['model']}' not found"})
        if body.get("suffix") and not body.get("raw") and not self.inserts:
            raise HTTPError(
                400, {"error": f"registry.ollama.ai/library/{self.model} does not support insert"}
            )

    def line(self, text: str, reason: str | None) -> str:
        event: dict[str, Any] = {"model": self.model, "response": text, "done": reason is not None}
        if reason is not None:
            event |= {"done_reason": reason, "eval_count": 12}
        return self.framed(json.dumps(event))


class ScriptedTabby(_Streaming):
    """Tabby, which answers in one piece and refuses without a word."""

    key_errors = ("", "")

    def __init__(self, *, model: str | None = "TabbyML/StarCoder-1B", api_key: str | None = None) -> None:
        """`model`: None for one that can only chat."""
        super().__init__(model=model, api_key=api_key)

    def look_up(self, request: Request) -> tuple[int, Any]:
        match f"{request.method} {request.path}":
            case "GET /api-docs/openapi.json":
                return 200, {"openapi": "3.0.3", "info": {"title": "Tabby Server", "version": "0.32.0"}}
            case "GET /v1/health":
                self.check_key(request)
                health = {"device": "cuda", "version": {"git_describe": "v0.32.0"}, "webserver": True}
                return 200, health | ({"model": self.model} if self.model else {"chat_model": "Qwen2-7B"})
        return 404, ""

    def check(self, request: Request) -> None:
        self.check_key(request)
        if not self.model:
            raise HTTPError(501, "")
        if not request.body.get("segments"):
            raise HTTPError(400, "")

    def prompt_of(self, body: Mapping[str, Any]) -> str:
        return str(body["segments"]["prefix"] + body["segments"]["suffix"])

    def whole(self, request: Request, text: str) -> Any:
        return {"id": "cmpl-1", "choices": [{"index": 0, "text": text}]}


class ScriptedOpenAI(_Streaming):
    """A server with `/v1/completions`.

    `software`: "vLLM", "SGLang", "LM Studio", "LiteLLM", "KoboldCpp" or "" for one that says nothing of itself. `suffix`: what it does
    with one, "refuse", "ignore" or "use".
    """

    def __init__(
        self,
        software: str = "vLLM",
        *,
        model: str | None = "Qwen/Qwen2.5-Coder-7B",
        api_key: str | None = None,
        suffix: str = "refuse",
        root: str = "",
        chat_only: bool = False,
        port: int = 0,
    ) -> None:
        super().__init__(model=model, api_key=api_key, port=port)
        self.software = software
        self.suffix = suffix
        self.root = root
        self.max_model_len = 4096
        self.completion_paths = ("/v1/chat/completions",) if chat_only else ("/v1/completions",)
        if software == "LiteLLM":
            self.headers = ("x-litellm-version: 1.80.0",)

    def look_up(self, request: Request) -> tuple[int, Any]:
        card: dict[str, Any] = {"id": self.model, "object": "model", "owned_by": self.software.lower()}
        if self.software in ("vLLM", "SGLang"):
            card |= {"max_model_len": self.max_model_len, "root": self.root or self.model}
        match f"{request.method} {request.path}":
            case "GET /v1/models":
                self.check_key(request)
                return 200, {"object": "list", "data": [card] if self.model else []}
            case "GET /api/v0/models" if self.software == "LM Studio":
                other = {"id": "llama-3.2-3b", "type": "llm", "state": "not-loaded"}
                loaded = {"type": "llm", "state": "loaded", "loaded_context_length": self.max_model_len}
                return 200, {"object": "list", "data": [other, card | loaded]}
            case "GET /api/version" if self.software == "KoboldCpp":
                return 200, {"version": "0.7.0"}  # for clients of Ollama
            case "POST /tokenize" if self.software == "vLLM":
                self.check_key(request)
                special = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_sep|>")
                tokens = Tokenizer(special).encode(request.body["prompt"], bos=False)
                return 200, {"tokens": tokens, "count": len(tokens), "max_model_len": self.max_model_len}
            case "GET /health":
                return 200, ""
        return 404, {"detail": "Not Found"}

    def check(self, request: Request) -> None:
        super().check(request)
        if request.body.get("suffix") and self.suffix == "refuse":
            raise HTTPError(400, {"error": {"message": "suffix is not currently supported", "code": 400}})

    def prompt_of(self, body: Mapping[str, Any]) -> str:
        if "messages" in body:
            return str(body["messages"][-1]["content"])
        return str(body.get("prompt", "")) + (str(body.get("suffix", "")) if self.suffix == "use" else "")

    def line(self, text: str, reason: str | None) -> str:
        said = {"delta": {"content": text}} if "chat" in self.completion_paths[0] else {"text": text}
        return self.framed(json.dumps({"choices": [{"index": 0, **said, "finish_reason": reason}]}))


class ScriptedHosted(_Streaming):
    """A service that fills in: `kind` is its name in the settings. It wants a key."""

    def __init__(self, kind: str, *, api_key: str | None = "k3y") -> None:
        super().__init__(model=None, api_key=api_key)
        self.kind = kind
        self.completion_paths = ("/completions",) if kind == "deepseek" else ("/v1/fim/completions",)

    def look_up(self, request: Request) -> tuple[int, Any]:
        return 404, {"detail": "Not Found"}

    def line(self, text: str, reason: str | None) -> str:
        said = {"delta": {"content": text}} if self.kind == "mistral" else {"text": text}
        return self.framed(json.dumps({"choices": [{"index": 0, **said, "finish_reason": reason}]}))
