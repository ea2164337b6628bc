"""Every setting, with its default, its bounds and what it means: the one definition, from which the rest is made.

The page docs/settings.md, the settings of the VS Code extension, the types of the Neovim plugin, the JSON Schema and
`tabby-ls config` all come from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import attrs
from attrs import field, frozen

from tabby_ls.settings.declaring import (
    are_headers,
    is_boolean,
    is_string,
    is_url,
    number,
    one_of,
    only,
    paths_in,
    setting,
    strings,
    unset_or,
    whole_number,
)
from tabby_ls.settings.merging import Problem, Source, merge

Kind = Literal[
    "auto",
    "tabbyapi",
    "llamacpp",
    "ollama",
    "tabby",
    "openai",
    "mistral",
    "deepseek",
    "mercury",
    "chat",
    "local",
]
KINDS: tuple[str, ...] = get_args(Kind)


@frozen
class BackendSettings:
    """A server that writes completions. All of it is `machine`: no project can redirect code or keys."""

    kind: Kind = setting(  # noqa: RUF009  # it declares an attrs field
        "auto",
        "Kind of server. `auto`: found out by asking `url`; without one, `local`. `openai` is any server with "
        "`/v1/completions` (vLLM, SGLang, LM Studio), `tabby` is TabbyML's, `chat` one that can only chat.",
        one_of(*KINDS),
        machine=True,
    )
    url: str = setting(
        "",
        "Address of the server, with or without `/v1`: `http://127.0.0.1:5000`. Empty: the provider's own for "
        "`mistral`, `deepseek` and `mercury`; else complete from the workspace, with no server.",
        is_string,
        is_url,
        machine=True,
    )
    model: str = setting(
        "",
        "Name of the model to ask for. Empty: the server says which. Leave it empty on TabbyAPI: naming another model there can "
        "unload the one that is loaded.",
        is_string,
        machine=True,
    )
    family: str = setting(
        "",
        "Family of the model, whose fill-in-the-middle template is used, as in `qwen-coder`. Empty: found from the model's name.",
        is_string,
        machine=True,
    )
    api_key_env: str = setting(
        "TABBY_LS_API_KEY", "Environment variable that holds the API key.", is_string, machine=True
    )
    api_key_file: str = setting("", "File whose first line is the API key.", is_string, machine=True)
    api_key_command: tuple[str, ...] = strings(
        (),
        'Command that prints the API key, as in `["pass", "show", "tabbyapi"]`.',
        machine=True,
    )
    headers: Mapping[str, str] = setting(
        attrs.Factory(dict),
        "Further HTTP headers to send with each request.",
        are_headers,
        machine=True,
        repr=False,
    )
    connect_timeout: float = setting(
        3.0, "Seconds to wait for a connection.", number(0.05, 600), machine=True
    )
    first_token_timeout: float = setting(
        20.0, "Seconds to wait for the first piece of an answer.", number(0.05, 3600), machine=True
    )
    progress_timeout: float = setting(
        8.0,
        "Seconds without a further piece before a stream counts as broken.",
        number(0.05, 3600),
        machine=True,
    )

    allow_insecure_key: bool = setting(
        False,
        "Whether to send the API key over plain http to another machine, where everybody on the way can read it.",
        is_boolean,
        machine=True,
    )
    ca_file: str = setting(
        "",
        "File of certificates (PEM) to trust besides the system's, for a server with a certificate of your own.",
        is_string,
        machine=True,
    )
    keep_alive: str = setting(
        "30m",
        "How long Ollama keeps the model in memory after a request, as in `30m`; `-1` is for ever.",
        is_string,
        machine=True,
    )
    max_in_flight: int | None = setting(
        None,
        "How many requests to have open at once. Unset: 2, or 1 where the server answers one at a time.",
        unset_or(whole_number(1, 64)),
        machine=True,
        example=1,
    )
    requests: Literal["all", "automatic", "explicit"] = setting(
        "all",
        "Which requests this server gets. `automatic`: those while you type. `explicit`: those by key. `all`: both.",
        one_of("all", "automatic", "explicit"),
        machine=True,
    )
    languages: tuple[str, ...] = strings(
        (),
        'Languages this server is asked for, as in `["python"]`. Empty: all.',
        machine=True,
    )

    @property
    def is_local(self) -> bool:
        """Whether this is the local model, by name or for want of a server."""
        return self.kind == "local" or (self.kind == "auto" and not self.url)

    def serves(self, language: str, *, invoked: bool) -> bool:
        """Return whether a request is one of those it is meant for."""
        wanted = "explicit" if invoked else "automatic"
        return self.requests in ("all", wanted) and (not self.languages or language in self.languages)


@frozen
class ContextSettings:
    """What a server's model is shown: of the file, and of other text."""

    max_prompt_tokens: int | None = setting(
        None,
        "Longest prompt in tokens. Unset: 2048, or less if the server accepts less.",
        unset_or(whole_number(64, 1_000_000)),
        example=2048,
    )
    prefix_share: float = setting(
        0.75,
        "Share of the prompt that goes to the text before the cursor, when not all before and behind it fits.",
        number(0.1, 1.0),
    )
    snippets: bool = setting(
        True,
        "Whether the server is shown pieces of other text that fit, besides the file itself: snippets.",
        is_boolean,
    )
    sources: tuple[str, ...] = strings(
        ("edits", "open", "definitions", "workspace"),
        "Where snippets come from. `edits`: what you changed last. `open`: other open files. `definitions`: of the "
        "names near the cursor. `workspace`: the index of the workspace's files.",
        only("edits", "open", "definitions", "workspace"),
    )
    snippet_share: float = setting(
        0.35,
        "Share of the prompt for snippets, when not everything fits.",
        number(0.0, 0.8),
    )


@frozen
class MenuSettings:
    """Completion menu items (`textDocument/completion`)."""

    show: Literal["auto", "on", "off"] = setting(
        "auto",
        "Whether to offer menu items. `auto`: only to editors that cannot show ghost text.",
        one_of("auto", "on", "off"),
    )
    trigger_characters: tuple[str, ...] = strings(
        (".", "(", "[", "{", ",", "=", ":", "/", " "),
        "Characters after which an editor asks for menu items by itself.",
    )
    deadline_ms: int = setting(
        1500,  # 600 may pass before a server is asked (engine/pacing.py)
        "Milliseconds after which a menu request is answered with what is there.",
        whole_number(20, 60_000),
    )


@frozen
class LocalSettings:
    """The local model."""

    fallback: bool = setting(True, "Whether the local model suggests while the server cannot.", is_boolean)
    index: bool = setting(
        True,
        "Whether the local model learns from all files of the workspace, not only from open ones.",
        is_boolean,
    )
    threshold: float = setting(
        0.6, "How probable a suggestion must be to be shown unasked, from 0 to 1.", number(0.0, 1.0)
    )
    invoked_threshold: float = setting(
        0.35,
        "How probable a suggestion must be to be shown when asked for by key, from 0 to 1.",
        number(0.0, 1.0),
    )


@frozen
class LogSettings:
    """Logging. Logs never hold code, prompts or keys."""

    level: Literal["error", "warning", "info", "debug"] = setting(
        "warning", "How much to log.", one_of("error", "warning", "info", "debug")
    )
    file: str = setting(
        "", "File to write the log to. Empty: standard error, which editors keep.", is_string, machine=True
    )


@frozen
class TraceSettings:
    """A file that says of each request what came of it and why; `tabby-ls why` reads it. Never keys."""

    file: str = setting(
        "", "File to write the trace to, one JSON object a line. Empty: none.", is_string, machine=True
    )
    code: bool = setting(
        False,
        "Whether the trace holds code: some text around the cursor, and the suggestion.",
        is_boolean,
        machine=True,
    )
    paths: bool = setting(
        False, "Whether the trace holds the paths of files, not only their names.", is_boolean, machine=True
    )
    max_mb: int = setting(
        10,
        "Megabytes after which the trace begins anew; one former part is kept beside it, as `FILE.1`.",
        whole_number(1, 10_000),
    )


@frozen
class Settings:
    """All settings."""

    enabled: bool = setting(True, "Whether anything is suggested at all.", is_boolean)
    trigger: Literal["automatic", "manual"] = setting(
        "automatic",
        "When to suggest. `automatic`: while you type. `manual`: only when you ask by key.",
        one_of("automatic", "manual"),
    )
    disabled_languages: tuple[str, ...] = strings(
        (),
        'Languages without suggestions, as in `["markdown"]`.',
    )
    exclude: tuple[str, ...] = strings(
        (),
        "Files that are never completed or read, as patterns in the style of .gitignore. A project can add some and "
        "bring none back.",
        is_extended=True,
    )
    multiline: Literal["auto", "always", "never"] = setting(
        "auto",
        "Whether a suggestion may have several lines. `auto`: where a block begins or a key asked for it.",
        one_of("auto", "always", "never"),
    )
    max_tokens: int = setting(128, "Longest suggestion in tokens.", whole_number(1, 8192))
    temperature: float = setting(
        0.0, "Sampling temperature; 0 always takes the likeliest token.", number(0.0, 2.0)
    )
    debounce_ms: int | None = setting(
        None,
        "Milliseconds to wait after a keystroke before asking the server. Unset: adapts to your typing.",
        unset_or(whole_number(0, 10_000)),
        example=100,
    )
    prefetch: bool = setting(
        True,
        "Whether to ask for what follows a suggestion once half of it is taken, so that it is there when all of it is.",
        is_boolean,
    )
    deadline_ms: int = setting(
        10_000,
        "Milliseconds after which a ghost text request is answered with what is there.",
        whole_number(20, 600_000),
    )
    stats: bool = setting(
        True,
        "Whether to count what is shown and accepted, for `tabby-ls stats`. The counts stay on this machine.",
        is_boolean,
    )
    backend: BackendSettings = field(factory=BackendSettings)
    backends: tuple[BackendSettings, ...] = setting(
        (),
        "Several servers, each with the settings of `backend`: the first that serves a request and works is asked. "
        "They replace `backend`. A key has to be named for each (`api_key_env`, `api_key_file`, `api_key_command`).",
        machine=True,
        # A key found where `backend` looks by default is another server's.
        entry=BackendSettings(api_key_env=""),
    )
    context: ContextSettings = field(factory=ContextSettings)
    menu: MenuSettings = field(factory=MenuSettings)
    local: LocalSettings = field(factory=LocalSettings)
    log: LogSettings = field(factory=LogSettings)
    trace: TraceSettings = field(factory=TraceSettings)

    @property
    def servers(self) -> tuple[BackendSettings, ...]:
        """The servers to ask, the first choice first."""
        return self.backends or (self.backend,)

    @property
    def menu_triggers(self) -> tuple[str, ...]:
        """The characters after which an editor is to ask for menu items by itself: none where only a key counts.

        Helix asks all its servers when one of them names the character, so that none must be named in vain.
        """
        return () if self.trigger == "manual" else self.menu.trigger_characters

    def merged(
        self, data: Mapping[str, Any], source: Source, origins: dict[str, Source] | None = None
    ) -> tuple[Settings, list[Problem]]:
        """Return these settings with `data` from `source` over them, and what of it could not be used.

        A source that names one server takes the place of a list from an earlier one. `origins` gets an entry for
        each setting that `data` has set, by its dotted path.
        """
        problems: list[Problem] = []
        taken: set[str] = set()
        merged: Settings = merge(self, data, source, problems, taken)
        if origins is not None:
            origins |= dict.fromkeys(taken, source)
        one = data.get("backend")
        names_one = isinstance(one, Mapping) and bool(one.get("url") or one.get("kind", "auto") != "auto")
        if names_one and not data.get("backends") and source is not Source.WORKSPACE:
            merged = attrs.evolve(merged, backends=())
        return merged, problems


def setting_paths() -> Iterator[tuple[str, ...]]:
    """Yield the path of every setting, as in `("backend", "url")`, in the order of the definition."""
    return paths_in(Settings)
