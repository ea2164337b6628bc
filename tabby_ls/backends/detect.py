"""Detects which kind of completion server answers at an address. No code is sent, and no completion made.

Each kind of server answers something that no other does. Where these fingerprints are from: TabbyAPI's
`/.well-known/serviceinfo` and llama.cpp's `Server` header were recorded from the real ones (tests/wire). The others
are from documentation and source: Ollama's `/api/version`, LM Studio's `/api/v0/models` with a `state` for each
model, and the `owned_by` that vLLM, SGLang and KoboldCpp put into `/v1/models`, LiteLLM's `x-litellm-version` header,
the title of the description that Tabby gives of itself without a key. KoboldCpp also answers `/api/version` as Ollama does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import attrs
from attrs import frozen

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.backends.failures import nothing_behind_proxy
from tabby_ls.backends.server import Reply, Server
from tabby_ls.settings import BackendSettings, Kind

#: Ports on which completion servers listen unless told otherwise.
KNOWN_PORTS: Mapping[int, str] = {
    5000: "TabbyAPI",
    8080: "llama.cpp, Tabby",
    8012: "llama.cpp",
    11434: "Ollama",
    8000: "vLLM",
    30000: "SGLang",
    1234: "LM Studio",
    5001: "KoboldCpp",
    4000: "LiteLLM",
}
#: What a server is asked, all at once.
_QUESTIONS = (
    "/.well-known/serviceinfo",
    "/api/version",
    "/api/v0/models",
    "/v1/models",
    "/health",
    "/api-docs/openapi.json",
    "/v1/health",
)
#: Seconds, for all questions together, that a server on this machine has to answer when nobody knows whether there
#: is one.
_DISCOVERY_SECONDS = 1.5
#: Hosted services are told by their host names: nothing needs to be asked.
_HOSTS: Mapping[str, Kind] = {
    "codestral.mistral.ai": "mistral",
    "api.mistral.ai": "mistral",
    "api.deepseek.com": "deepseek",
    "api.inceptionlabs.ai": "mercury",
}
#: `owned_by` of the models in `/v1/models`, and the name of the software for people.
_OWNERS: Mapping[str, str] = {
    "vllm": "vLLM",
    "sglang": "SGLang",
    "llamacpp": "llama.cpp",
    "koboldcpp": "KoboldCpp",
}
#: Any status is an answer: what does not exist here says something too.
_ANY = tuple(range(200, 600))
#: What a proxy says for a server that is gone. 503 may also come from a server that loads its model, but those
#: with a known fingerprint have been recognised by then.
_GATEWAY = (502, 503, 504)


@frozen
class Found:
    """A server: its kind for the setting of that name, its name for people, and how it gave itself away."""

    kind: Kind
    software: str
    by: str
    url: str = ""
    version: str = ""
    #: Models it lists, where it does so without a key.
    models: tuple[str, ...] = ()
    needs_key: bool = False

    def __str__(self) -> str:
        """Return it in a few words: "Ollama 0.12.3 at http://127.0.0.1:11434"."""
        return " ".join(filter(None, (self.software, self.version, f"at {self.url}")))


async def detect(server: Server) -> Found:
    """Return what answers at the server's address; raise BackendError if nothing does, or nothing that helps.

    The key, if there is one, goes along: the address is the one that the key is for.
    """
    url = server.url
    if kind := _HOSTS.get((urlsplit(url).hostname or "").lower()):
        return Found(kind, kind.capitalize(), "its host name", url, needs_key=True)
    answers = await asyncio.gather(*(server.ask("GET", path, accept=_ANY) for path in _QUESTIONS))
    replies = dict(zip(_QUESTIONS, answers, strict=True))
    models = replies["/v1/models"]
    found = _recognise(replies) or await _by_endpoint(server, models)
    return attrs.evolve(
        found,
        url=url,
        models=tuple(str(card["id"]) for card in models.cards if "id" in card),
        needs_key=any(replies[path].status in (401, 403) for path in ("/v1/models", "/v1/health")),
    )


def _recognise(replies: Mapping[str, Reply]) -> Found | None:
    """Return what the answers to the questions give away."""
    models, ollama = replies["/v1/models"], replies["/api/version"]
    software = replies["/.well-known/serviceinfo"].data.get("software")
    if isinstance(software, Mapping) and software.get("name") == "TabbyAPI":
        return Found("tabbyapi", "TabbyAPI", "/.well-known/serviceinfo")
    if any("llama.cpp" in reply.headers.get("server", "") for reply in replies.values()):
        return Found("llamacpp", "llama.cpp", "its Server header")
    if "x-litellm-version" in models.headers:
        litellm = models.headers["x-litellm-version"]
        return Found("openai", "LiteLLM", "its x-litellm-version header", version=litellm)
    described = replies["/api-docs/openapi.json"].data.get("info")
    if isinstance(described, Mapping) and described.get("title") == "Tabby Server":
        return Found("tabby", "Tabby", "/api-docs/openapi.json")
    if any("state" in card for card in replies["/api/v0/models"].cards):
        return Found("openai", "LM Studio", "/api/v0/models")
    owners = {str(card.get("owned_by")) for card in models.cards}
    for owner, name in _OWNERS.items():
        if owner in owners:
            kind: Kind = "llamacpp" if owner == "llamacpp" else "openai"
            return Found(kind, name, f"/v1/models, owned by {owner!r}")
    if "tabbyAPI" in owners:
        return Found("tabbyapi", "TabbyAPI", "/v1/models, owned by 'tabbyAPI'")
    if isinstance(version := ollama.data.get("version"), str) and ollama.status == 200:
        return Found("ollama", "Ollama", "/api/version", version=version)
    return None


async def _by_endpoint(server: Server, models: Reply) -> Found:
    """Return the kind by what there is: an empty request is refused where the address is right."""
    completions, chat = await asyncio.gather(
        _post_nothing(server, "/v1/completions"), _post_nothing(server, "/v1/chat/completions")
    )
    if completions.status not in (404, 405) and (completions.status < 500 or models.status == 200):
        return Found("openai", "", "/v1/completions exists")
    if chat.status not in (404, 405) and chat.status < 500:
        return Found("chat", "", "only /v1/chat/completions exists")
    if completions.status in _GATEWAY:
        raise nothing_behind_proxy(server.url, completions.status)
    raise BackendError(
        Trouble.REFUSED,
        f"the server at {server.url} answers, but has none of the addresses that completion servers have; "
        "is its url right? It ends before /v1.",
    )


async def discover(host: str = "127.0.0.1", ports: Sequence[int] = tuple(KNOWN_PORTS)) -> list[Found]:
    """Return the completion servers on the known ports of this machine, all asked at once, without a key.

    Servers that say nothing recognisable within a second and a half are left out.
    """
    found = await asyncio.gather(*(_look(f"http://{host}:{port}") for port in ports))
    return [server for server in found if server is not None]


async def _look(url: str) -> Found | None:
    server = Server(BackendSettings(url=url, api_key_env="", connect_timeout=_DISCOVERY_SECONDS), "it")
    try:
        async with asyncio.timeout(_DISCOVERY_SECONDS):
            return await detect(server)
    except (BackendError, TimeoutError):
        return None
    finally:
        await server.close()


async def _post_nothing(server: Server, path: str) -> Reply:
    return await server.ask("POST", path, {}, accept=_ANY)
