"""Turns failures of the completions client into messages for the user: what happened, and what to do about it."""

from __future__ import annotations

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.completions import (
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
    StreamError,
    ValidationError,
)
from tabby_ls.settings import BackendSettings

#: What llama.cpp answers (501 Not Implemented) and what Ollama says (with 400) if the model they have now cannot be
#: given a suffix.
NOT_IMPLEMENTED = 501
_NO_INSERT = "does not support insert"
#: Bad gateway, gateway timeout: what nginx and its kin say for a server that is gone or too slow.
_GATEWAY = (502, 504)


def explain(
    error: CompletionError, url: str, software: str, settings: BackendSettings, *, sent_key: bool
) -> BackendError:
    """Return what `error` of the server at `url` means to the user.

    `software` is the server's name for people; `settings` say where its key came from, if one was sent.
    """
    where = f"the server at {url}"
    match error:
        case RequestError(code="timeout") | APIError(status=408):
            return BackendError(Trouble.TIMEOUT, f"{where} did not answer in time")
        case RequestError(code="unknown_host"):
            return BackendError(
                Trouble.UNREACHABLE,
                f"{where} cannot be reached: its name has no address; is its url right, and the network there?",
            )
        case RequestError(code="tls_error"):
            return BackendError(
                Trouble.UNREACHABLE, f"{where} does not speak https; does its url begin with http://?"
            )
        case RequestError(code="certificate_error"):
            return BackendError(
                Trouble.UNREACHABLE,
                f"{where} has a certificate that is not trusted ({error.message}); "
                "if it is your own, name its authority in ca_file",
            )
        case RequestError(code="proxy_error"):
            return BackendError(
                Trouble.UNREACHABLE,
                f"{where} cannot be reached: {error.message}; name hosts that need no proxy in NO_PROXY",
            )
        case RequestError():
            return BackendError(Trouble.UNREACHABLE, f"{where} cannot be reached; is it running?")
        case AuthenticationError() | PermissionDeniedError():
            verdict = "refused the API key" if sent_key else "wants an API key"
            return _refused_key(f"{where} {verdict}: {error.message}", settings, sent_key=sent_key)
        case ContextLengthExceededError():
            return BackendError(
                Trouble.PROMPT_TOO_LONG, f"{where} found the prompt too long: {error.message}"
            )
        case _ if error.status == NOT_IMPLEMENTED or _NO_INSERT in error.message:
            return BackendError(Trouble.CHANGED, f"{where} cannot fill in with its model: {error.message}")
        case ModelNotLoadedError() if "loading" in error.message.lower():
            return BackendError(Trouble.NO_MODEL, f"{where} is still loading its model")
        case ModelNotLoadedError():
            return BackendError(Trouble.NO_MODEL, f"{where} has no model loaded; load one in {software}")
        case NotFoundError():
            return BackendError(
                Trouble.REFUSED, f"{where} knows no such address; is its url right, and is it {software}?"
            )
        case RateLimitError():
            return BackendError(Trouble.OVERLOADED, f"{where} says there are too many requests")
        case InvalidRequestError() | ValidationError():
            return BackendError(Trouble.REFUSED, f"{where} refused the request: {error.message}")
        case StreamError():
            return BackendError(Trouble.BROKEN_STREAM, f"{where} broke off its answer: {error.message}")
        case InvalidResponseError():
            return BackendError(
                Trouble.FAILED, f"{where} gave no answer that {software} would give: {error.message}"
            )
        case _ if error.status in _GATEWAY:
            return nothing_behind_proxy(url, error.status)
        case _:
            return BackendError(Trouble.FAILED, f"{where} failed: {error.message}")


def nothing_behind_proxy(url: str, status: int) -> BackendError:
    """Return the error for a proxy at `url` whose `status` says that the server behind it does not answer."""
    return BackendError(
        Trouble.UNREACHABLE,
        f"the server at {url} is a proxy that gets no answer from the server behind it (HTTP {status}); "
        "is that running?",
    )


def _refused_key(complaint: str, settings: BackendSettings, *, sent_key: bool) -> BackendError:
    key_from = ""
    if settings.api_key_command or settings.api_key_file:
        remedy = "It came from the command or file in your settings."
    elif key_from := settings.api_key_env:
        remedy = (
            f"It is read from the environment variable {key_from}{'' if sent_key else ', which is not set'}."
        )
    else:
        remedy = "None was sent: name one with api_key_env, api_key_file or api_key_command."
    return BackendError(Trouble.UNAUTHORIZED, complaint, remedy, key_from=key_from)
