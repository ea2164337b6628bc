"""Maps each `kind` of the settings to the class that talks to it. A kind's module is imported only when it is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from tabby_ls.backends.backend import Backend
from tabby_ls.settings import BackendSettings

#: What people call each kind, where nothing is known of the server itself.
NAMES: Mapping[str, str] = {
    "tabbyapi": "TabbyAPI",
    "llamacpp": "llama.cpp",
    "ollama": "Ollama",
    "tabby": "Tabby",
    "openai": "OpenAI-compatible server",
    "mistral": "Mistral",
    "deepseek": "DeepSeek",
    "mercury": "Mercury",
    "chat": "chat",
    "local": "local model",
}


def open_server(settings: BackendSettings, software: str = "") -> Backend:
    """Return the backend for a server of a known kind; `software` is its name for people where one was detected."""
    match settings.kind:
        case "tabbyapi":
            from tabby_ls.backends.tabbyapi import TabbyAPIBackend

            return TabbyAPIBackend(settings)
        case "llamacpp":
            from tabby_ls.backends.llamacpp import LlamaCppBackend

            return LlamaCppBackend(settings)
        case "ollama":
            from tabby_ls.backends.ollama import OllamaBackend

            return OllamaBackend(settings)
        case "tabby":
            from tabby_ls.backends.tabby import TabbyBackend

            return TabbyBackend(settings)
        case "mistral" | "deepseek" | "mercury":
            from tabby_ls.backends.hosted import HostedBackend

            return HostedBackend(settings)
        case "chat":
            from tabby_ls.backends.chat import ChatBackend

            return ChatBackend(settings)
        case _:
            from tabby_ls.backends.openai import OpenAIBackend

            return OpenAIBackend(settings, software)
