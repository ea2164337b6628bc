"""A typed asyncio client of `POST /v1/completions`, in one piece and streamed. Usable on its own.

    async with CompletionsClient("http://127.0.0.1:5000", api_key=key) as client:
        async with client.create_stream(CompletionRequest("def add(", max_tokens=64)) as stream:
            async for chunk in stream:
                print(chunk.text, end="")

Nothing else in tabby-ls is needed, and nothing else there imports the HTTP library: import this package
only when a request is about to be made.
"""

from tabby_ls.completions.client import CompletionsClient
from tabby_ls.completions.connection import Timeouts, Withheld, withholding
from tabby_ls.completions.errors import (
    APIError,
    AuthenticationError,
    CompletionError,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotLoadedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    ServerError,
    StreamError,
    ValidationError,
)
from tabby_ls.completions.request import DEFAULT_STREAM_MAX_TOKENS, CompletionRequest, StreamOptions
from tabby_ls.completions.responses import (
    Choice,
    CompletionChunk,
    CompletionResponse,
    Health,
    HealthIssue,
    Logprobs,
    ModelCard,
    ModelParameters,
    ServiceInfo,
    Software,
    TokenEncoding,
    Usage,
)
from tabby_ls.completions.stream import CompletionStream

__all__ = [
    "DEFAULT_STREAM_MAX_TOKENS",
    "APIError",
    "AuthenticationError",
    "Choice",
    "CompletionChunk",
    "CompletionError",
    "CompletionRequest",
    "CompletionResponse",
    "CompletionStream",
    "CompletionsClient",
    "ContextLengthExceededError",
    "Health",
    "HealthIssue",
    "InvalidRequestError",
    "InvalidResponseError",
    "Logprobs",
    "ModelCard",
    "ModelNotLoadedError",
    "ModelParameters",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestError",
    "ServerError",
    "ServiceInfo",
    "Software",
    "StreamError",
    "StreamOptions",
    "Timeouts",
    "TokenEncoding",
    "Usage",
    "ValidationError",
    "Withheld",
    "withholding",
]
