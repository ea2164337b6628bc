"""A scripted TabbyAPI: speaks as `tests/wire/tabbyapi` recorded the real one, with answers chosen by the test."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from tests.support.raw_http import HTTPError, head, send_data, send_event, send_whole
from tests.support.scripted_model import QWEN_SPECIALS, Generation, Plan, Tokenizer
from tests.support.scripted_server import Ended, Request, ScriptedServer

_ABORTED = '{"error":{"message":"Completion aborted. Please check the server console.","trace":null}}'
_CHECK_CONSOLE = "Maybe the model was unloaded? Please check the server console."
_SERVICE_INFO = {
    "version": 0.1,
    "software": {
        "name": "TabbyAPI",
        "repository": "https://github.com/theroyallab/tabbyAPI",
        "homepage": "https://github.com/theroyallab/tabbyAPI",
    },
    "api": {
        "openai": {"name": "OpenAI API", "relative_url": "/v1", "version": 1},
        "koboldai": {"name": "KoboldAI API", "relative_url": "/api", "version": 1},
    },
}


def _invalid(kind: str, message: str, value: Any, *where: str | int) -> HTTPError:
    return HTTPError(422, {"detail": [{"type": kind, "loc": list(where), "msg": message, "input": value}]})


class ScriptedTabbyAPI(ScriptedServer):
    """The server. Its attributes may be changed between requests; `model = None` unloads the model."""

    def __init__(
        self,
        *,
        model: str | None = "Qwen2.5-Coder-1.5B-exl3",
        api_key: str | None = None,
        max_seq_len: int = 32768,
        cache_size: int = 32768,
        chunk_size: int = 2048,
        ping_interval: float = 15,
        special_tokens: tuple[str, ...] = QWEN_SPECIALS,
        port: int = 0,
    ) -> None:
        """`port` is for a server that comes back where another one was."""
        super().__init__(model=model, api_key=api_key, port=port)
        self.max_seq_len = max_seq_len
        self.cache_size = cache_size
        self.chunk_size = chunk_size
        self.ping_interval = ping_interval
        self.tokenizer = Tokenizer(special_tokens)

    # Endpoints

    def look_up(self, request: Request) -> tuple[int, Any]:
        route = f"{request.method} {request.path}"
        if route == "GET /health":
            return 200, {"status": "healthy", "issues": []}
        if route == "GET /.well-known/serviceinfo":
            return 200, _SERVICE_INFO
        self.check_key(request)
        if route == "GET /v1/auth/permission":
            return 200, {"permission": "admin" if self.api_key is None else "api"}
        if route == "GET /v1/models":
            cards = [] if self.model is None else [self._card(with_parameters=False)]
            return 200, {"object": "list", "data": cards}
        if route == "GET /v1/completions":
            raise HTTPError(405, {"detail": "Method Not Allowed"})
        if route not in ("GET /v1/model", "POST /v1/token/encode", "POST /v1/token/decode"):
            raise HTTPError(404, {"detail": "Not Found"})
        self._check_model()
        if route == "GET /v1/model":
            return 200, self._card(with_parameters=True)
        if route == "POST /v1/token/decode":
            return 200, {"text": self.tokenizer.decode(request.body["tokens"])}
        tokens = self.tokenizer.encode(request.body["text"], bos=request.body.get("add_bos_token", True))
        return 200, {"tokens": tokens, "length": len(tokens)}

    def _check_model(self) -> None:
        if self.model is None:
            raise HTTPError(503, {"detail": "No models are currently loaded."})

    def _card(self, *, with_parameters: bool) -> dict[str, Any]:
        parameters = {
            "max_seq_len": self.max_seq_len,
            "cache_size": self.cache_size,
            "cache_mode": "FP16",
            "rope_scale": 1.0,
            "rope_alpha": 1.0,
            "max_batch_size": 4,
            "chunk_size": self.chunk_size,
            "prompt_template": None,
            "prompt_template_content": None,
            "use_vision": False,
            "draft": None,
        }
        card = {"id": self.model, "object": "model", "created": int(time.time()), "owned_by": "tabbyAPI"}
        return card | {"logging": None, "parameters": parameters if with_parameters else None}

    def _check_completion(self, request: Request) -> None:
        self.check_key(request)
        body = request.body
        if not isinstance(body, dict):
            raise _invalid("json_invalid", "JSON decode error", {}, "body", 0)
        if "prompt" not in body:
            raise _invalid("missing", "Field required", body, "body", "prompt")
        temperature = body.get("temperature")
        if temperature is not None and not 0 <= temperature <= 10:
            raise _invalid("out_of_range", "Input should be from 0 to 10", temperature, "body", "temperature")
        if self.model is None and body.get("model") is not None:
            raise HTTPError(500, "Internal Server Error")
        self._check_model()
        length = len(self.tokenizer.encode(body["prompt"], bos=True))
        # What the generator allocates for the prompt and one chunk, in pages of 256 tokens.
        needed = -(-(length - 1 + self.chunk_size) // 256) * 256
        if length > self.max_seq_len or needed > self.cache_size:
            what = (
                f"Prompt length {length} exceeds"
                if length > self.max_seq_len
                else f"Initial job allocation requires {needed} cache tokens, which exceeds"
            )
            message = f"{what} the available context size of {self.cache_size} tokens"
            error = {"message": message, "type": "invalid_request_error", "param": None}
            raise HTTPError(400, {"error": error | {"code": "context_length_exceeded"}})

    # Completions

    async def complete(self, request: Request, writer: asyncio.StreamWriter, plan: Plan) -> Ended:
        self._check_completion(request)
        if plan.ending == "hang before headers":
            await asyncio.Event().wait()
        generation = Generation(plan, request.body)
        if request.body.get("stream"):
            return await self._stream(request, writer, generation)
        text = "".join([piece async for piece in self.generate(request, generation)])
        if generation.is_broken:
            raise HTTPError(503, {"detail": f"Completion {uuid.uuid4().hex} aborted. {_CHECK_CONSOLE}"})
        if generation.plan.ending == "cut":
            return "cut"
        choice = {"index": 0, "finish_reason": generation.finish_reason, "eos_reason": generation.eos_reason}
        if generation.plan.ending in ("hang", "pings"):
            choice["eos_reason"] = None  # where a stream hangs, a whole answer is cut short
        choice |= {"logprobs": None, "text": text if text.strip() else ""}
        answer = {"id": f"cmpl-{uuid.uuid4().hex}", "choices": [choice], "created": int(time.time())}
        answer |= {"model": self.model, "object": "text_completion", "usage": self._usage(generation)}
        await send_whole(writer, 200, answer)
        return "complete"

    async def _stream(self, request: Request, writer: asyncio.StreamWriter, generation: Generation) -> Ended:
        ending = generation.plan.ending
        async with self._open_stream(writer) as pings:
            identity = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time())}
            async for piece in self.generate(request, generation):
                await send_data(writer, self._chunk(identity, {"text": piece, "finish_reason": None}))
            if ending == "hang":
                pings.cancel()
            if ending in ("hang", "pings"):
                await asyncio.Event().wait()
            if ending == "cut":
                return "cut"
            if generation.is_broken:
                await send_data(writer, _ABORTED)
            else:
                last: dict[str, Any] = {"text": "", "finish_reason": generation.finish_reason}
                usage = self._usage(generation)
                if usage is None:
                    last["eos_reason"] = generation.eos_reason
                await send_data(writer, self._chunk(identity, last, usage))
                await send_data(writer, "[DONE]")
            pings.cancel()
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        return "complete"

    @asynccontextmanager
    async def _open_stream(self, writer: asyncio.StreamWriter) -> AsyncIterator[asyncio.Task[None]]:
        """Send the headers, count the stream, and ping as long as it lasts."""
        lines = (
            "cache-control: no-store",
            "connection: keep-alive",
            "x-accel-buffering: no",
            "content-type: text/event-stream; charset=utf-8",
            "vary: Origin",
            "transfer-encoding: chunked",
        )
        pings = asyncio.create_task(self._ping(writer))
        self.open_streams += 1
        try:
            writer.write(head(200, *lines))
            await writer.drain()
            yield pings
        finally:
            self.open_streams -= 1
            pings.cancel()
            await asyncio.gather(pings, return_exceptions=True)

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(self.ping_interval)
            await send_event(writer, f": ping - {datetime.now(UTC)}")

    def _chunk(
        self, identity: dict[str, Any], choice: dict[str, Any], usage: dict[str, Any] | None = None
    ) -> str:
        chunk = {"id": identity["id"], "object": "text_completion", "choices": [{"index": 0} | choice]}
        chunk |= {"created": identity["created"]} | ({} if usage is None else {"usage": usage})
        return json.dumps(chunk | {"model_name": self.model}, ensure_ascii=False)

    def _usage(self, generation: Generation) -> dict[str, Any] | None:
        if not (generation.body.get("stream_options") or {}).get("include_usage"):
            return None
        prompt, written = len(self.tokenizer.encode(generation.prompt, bos=True)), generation.written
        usage = {"prompt_tokens": prompt, "prompt_time": 0.02, "prompt_tokens_per_sec": prompt / 0.02}
        usage |= {"completion_tokens": written, "completion_time": 0.3, "completion_tokens_per_sec": 50.0}
        return usage | {"total_tokens": prompt + written, "total_time": 0.32}
