"""What the user may say, validated: one definition of every setting, and how its sources are merged.

Sources, a later one wins:

1. the defaults below
2. the user's own file, `config.toml` in the platform's configuration folder (or `$TABBY_LS_CONFIG`)
3. the environment: `TABBY_LS_` and the setting's path, as in `TABBY_LS_BACKEND_URL`
4. the editor's `initializationOptions`
5. the editor's `workspace/configuration`, which a file inside a project may have influenced, and which
   therefore cannot touch the settings that say where code and keys go (those marked `machine`)

A wrong or unknown setting becomes a :class:`Problem` and the rest still works.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args

import attrs
from attrs import Attribute, field, frozen, validators

ENVIRONMENT_PREFIX = "TABBY_LS_"
#: The name of our section in what editors send.
SECTION = "tabby-ls"
#: Where pieces of other text for the prompt may come from.
CONTEXT_SOURCES = frozenset({"edits", "open", "definitions", "workspace"})


class Source(StrEnum):
    """Where a setting came from, in the words users see."""

    FILE = "the configuration file"
    ENVIRONMENT = "the environment"
    COMMAND_LINE = "the command line"
    INITIALIZATION = "initializationOptions"
    WORKSPACE = "workspace/configuration"


@frozen
class Problem:
    """A setting that could not be used: its dotted path, where it was found, and why.

    Without a path it is about the whole source.
    """

    setting: str
    source: Source
    why: str

    def __str__(self) -> str:
        if not self.setting:
            return f"{self.source} {self.why}"
        return f"setting {self.setting!r} in {self.source}: {self.why}"


def _strings(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _setting(
    default: Any, doc: str, *checks: Any, machine: bool = False, example: Any = None, **more: Any
) -> Any:
    """Declare one setting; `checks` are attrs validators that raise TypeError or ValueError.

    One that is unset by default has an `example` of what it may be.
    """
    metadata = {"doc": doc, "machine": machine, "example": example}
    return field(default=default, validator=list(checks), metadata=metadata, **more)


def _whole(minimum: int, maximum: int) -> list[Any]:
    return [_not_bool, validators.instance_of(int), validators.ge(minimum), validators.le(maximum)]


def _number(minimum: float, maximum: float) -> list[Any]:
    return [_not_bool, validators.instance_of((int, float)), validators.ge(minimum), validators.le(maximum)]


def _not_bool(_: object, attribute: Attribute[Any], value: object) -> None:
    if isinstance(value, bool):
        raise TypeError(f"{attribute.name} must be a number")


_boolean = validators.instance_of(bool)
_string = validators.instance_of(str)
_list_of_strings = validators.deep_iterable(_string, validators.instance_of(tuple))


def _url(_: object, attribute: Attribute[Any], value: str) -> None:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError(f"{attribute.name} must begin with http:// or https://")


def _sources(_: object, attribute: Attribute[Any], value: tuple[str, ...]) -> None:
    if unknown := set(value) - CONTEXT_SOURCES:
        known = ", ".join(sorted(CONTEXT_SOURCES))
        raise ValueError(f"{attribute.name} may hold {known}, and not {', '.join(sorted(unknown))}")


def _headers(_: object, attribute: Attribute[Any], value: Mapping[str, str]) -> None:
    if not isinstance(value, Mapping) or not all(
        isinstance(k, str) and isinstance(v, str) for k, v in value.items()
    ):
        raise TypeError(f"{attribute.name} must map names to strings")


Kind = Literal[
    "auto", "tabbyapi", "llamacpp", "ollama", "openai", "mistral", "deepseek", "mercury", "chat", "local"
]
KINDS: tuple[str, ...] = get_args(Kind)


@frozen
class BackendSettings:
    """A server that writes completions. All of it is `machine`: no project can redirect code or keys."""

    kind: Kind = _setting(  # noqa: RUF009  # it declares an attrs field
        "auto",
        "Kind of server. `auto`: found out by asking `url`; without one, `local`. `openai` is any server with "
        "`/v1/completions` (vLLM, SGLang, LM Studio), `chat` one that can only chat.",
        validators.in_(KINDS),
        machine=True,
    )
    url: str = _setting(
        "",
        "Address of the server, with or without `/v1`: `http://127.0.0.1:5000`. Empty: the provider's own for "
        "`mistral`, `deepseek` and `mercury`; else complete from the workspace, with no server.",
        _string,
        _url,
        machine=True,
    )
    model: str = _setting(
        "",
        "Model name to send. Leave empty on TabbyAPI: naming another model there can unload the one that is loaded.",
        _string,
        machine=True,
    )
    family: str = _setting(
        "",
        "Fill-in-the-middle template, as in `qwen-coder`. Empty: found from the model's name.",
        _string,
        machine=True,
    )
    api_key_env: str = _setting(
        "TABBY_LS_API_KEY", "Environment variable that holds the API key.", _string, machine=True
    )
    api_key_file: str = _setting("", "File whose first line is the API key.", _string, machine=True)
    api_key_command: tuple[str, ...] = _setting(
        (),
        'Command that prints the API key, as in `["pass", "show", "tabbyapi"]`.',
        _list_of_strings,
        machine=True,
        converter=_strings,
    )
    headers: Mapping[str, str] = _setting(
        attrs.Factory(dict),
        "Further HTTP headers to send with each request.",
        _headers,
        machine=True,
        repr=False,
    )
    connect_timeout: float = _setting(
        3.0, "Seconds to wait for a connection.", *_number(0.05, 600), machine=True
    )
    first_token_timeout: float = _setting(
        20.0, "Seconds to wait for the first piece of an answer.", *_number(0.05, 3600), machine=True
    )
    progress_timeout: float = _setting(
        8.0,
        "Seconds without a further piece before a stream counts as broken.",
        *_number(0.05, 3600),
        machine=True,
    )

    allow_insecure_key: bool = _setting(
        False,
        "Send the API key over plain http to another machine, where everybody on the way can read it.",
        _boolean,
        machine=True,
    )
    ca_file: str = _setting(
        "",
        "File of certificates (PEM) to trust besides the system's, for a server behind a certificate of your own.",
        _string,
        machine=True,
    )
    keep_alive: str = _setting(
        "30m",
        "How long Ollama keeps the model in memory after a request, as in `30m`; `-1` is for ever.",
        _string,
        machine=True,
    )
    max_in_flight: int | None = _setting(
        None,
        "How many requests to have open at once. Unset: 2, or 1 where the server answers one at a time.",
        validators.optional(validators.and_(*_whole(1, 64))),
        machine=True,
        example=1,
    )
    requests: Literal["all", "automatic", "explicit"] = _setting(
        "all",
        "Which requests it serves: those while typing, those by key, or both.",
        validators.in_(("all", "automatic", "explicit")),
        machine=True,
    )
    languages: tuple[str, ...] = _setting(
        (),
        'Languages it serves, as in `["python"]`. Empty: all.',
        _list_of_strings,
        machine=True,
        converter=_strings,
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
    """What the model sees of the file."""

    max_prompt_tokens: int | None = _setting(
        None,
        "Longest prompt in tokens. Unset: 2048, or less if the server accepts less.",
        validators.optional(validators.and_(*_whole(64, 1_000_000))),
        example=2048,
    )
    prefix_share: float = _setting(
        0.75,
        "Share of the prompt for the text before the cursor, when there is too much of both.",
        *_number(0.1, 1.0),
    )
    snippets: bool = _setting(
        True, "Whether the server is shown fitting pieces of other text, besides the file itself.", _boolean
    )
    sources: tuple[str, ...] = _setting(
        ("edits", "open", "definitions", "workspace"),
        "Where such pieces come from: what you changed last, other open files, definitions of the names near the cursor, the index of the workspace.",
        _list_of_strings,
        _sources,
        converter=_strings,
    )
    snippet_share: float = _setting(
        0.35,
        "Share of the prompt for such pieces, when there is too much of everything.",
        *_number(0.0, 0.8),
    )


@frozen
class MenuSettings:
    """Completion menu items (`textDocument/completion`)."""

    show: Literal["auto", "on", "off"] = _setting(
        "auto",
        "`auto`: offer menu items only to editors that cannot show ghost text.",
        validators.in_(("auto", "on", "off")),
    )
    trigger_characters: tuple[str, ...] = _setting(
        (".", "(", "[", "{", ",", "=", ":", "/", " "),
        "Characters after which an editor asks for menu items by itself.",
        _list_of_strings,
        converter=_strings,
    )
    deadline_ms: int = _setting(
        800, "Milliseconds after which a menu request is answered with what is there.", *_whole(20, 60_000)
    )


@frozen
class LocalSettings:
    """The local model."""

    fallback: bool = _setting(True, "Suggest from the local model while the server cannot.", _boolean)
    index: bool = _setting(True, "Learn from the files of the workspace, not only from open ones.", _boolean)
    threshold: float = _setting(
        0.6, "How probable a suggestion must be to be shown unasked, from 0 to 1.", *_number(0.0, 1.0)
    )
    invoked_threshold: float = _setting(0.35, "The same when asked for by key.", *_number(0.0, 1.0))


@frozen
class LogSettings:
    """Logging. Logs never hold code, prompts or keys."""

    level: Literal["error", "warning", "info", "debug"] = _setting(
        "warning", "How much to log.", validators.in_(("error", "warning", "info", "debug"))
    )
    file: str = _setting("", "File to log to. Empty: standard error.", _string, machine=True)


@frozen
class TraceSettings:
    """A file that says of each request what came of it and why; `tabby-ls why` reads it. Never keys."""

    file: str = _setting(
        "", "File to write the trace to, one JSON object a line. Empty: none.", _string, machine=True
    )
    code: bool = _setting(
        False,
        "Whether the trace holds code: some text around the cursor, and the suggestion.",
        _boolean,
        machine=True,
    )
    paths: bool = _setting(
        False, "Whether the trace holds the paths of files, not only their names.", _boolean, machine=True
    )
    max_mb: int = _setting(
        10,
        "Megabytes after which the trace begins anew; one former part is kept beside it, as `FILE.1`.",
        *_whole(1, 10_000),
    )


@frozen
class Settings:
    """Everything a user may say."""

    enabled: bool = _setting(True, "Whether anything is suggested at all.", _boolean)
    trigger: Literal["automatic", "manual"] = _setting(
        "automatic", "`manual`: suggest only when asked by key.", validators.in_(("automatic", "manual"))
    )
    disabled_languages: tuple[str, ...] = _setting(
        (), 'Languages without suggestions, as in `["markdown"]`.', _list_of_strings, converter=_strings
    )
    exclude: tuple[str, ...] = _setting(
        (),
        "Files that are never completed or read, as patterns in the style of .gitignore. A project can add some and "
        "bring none back.",
        _list_of_strings,
        converter=_strings,
    )
    multiline: Literal["auto", "always", "never"] = _setting(
        "auto",
        "Whether a suggestion may have several lines. `auto`: where a block begins or a key asked for it.",
        validators.in_(("auto", "always", "never")),
    )
    max_tokens: int = _setting(128, "Longest suggestion in tokens.", *_whole(1, 8192))
    temperature: float = _setting(
        0.0, "Sampling temperature; 0 always takes the likeliest token.", *_number(0.0, 2.0)
    )
    debounce_ms: int | None = _setting(
        None,
        "Milliseconds to wait after a keystroke before asking the server. Unset: adapts to your typing.",
        validators.optional(validators.and_(*_whole(0, 10_000))),
        example=100,
    )
    prefetch: bool = _setting(
        True,
        "Ask for what follows a suggestion once half of it was taken, so that it is there when all of it is.",
        _boolean,
    )
    deadline_ms: int = _setting(
        10_000,
        "Milliseconds after which a ghost text request is answered with what is there.",
        *_whole(20, 600_000),
    )
    stats: bool = _setting(
        True,
        "Whether to count what is shown and accepted, for `tabby-ls stats`. The counts stay on this machine.",
        _boolean,
    )
    backend: BackendSettings = field(factory=BackendSettings)
    backends: tuple[BackendSettings, ...] = _setting(
        (),
        "Several servers, each with the settings of `backend`: the first that serves a request and works is asked. "
        "They replace `backend`. A key has to be named for each (`api_key_env`, `api_key_file`, `api_key_command`).",
        machine=True,
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

    def merged(self, data: Mapping[str, Any], source: Source) -> tuple[Settings, list[Problem]]:
        """Return these settings with `data` from `source` over them, and what of it could not be used.

        A source that names one server takes the place of a list from an earlier one.
        """
        merged, problems, _ = self.merged_with_origins(data, source)
        return merged, problems

    def merged_with_origins(
        self, data: Mapping[str, Any], source: Source
    ) -> tuple[Settings, list[Problem], set[str]]:
        """Return as :meth:`merged` does, and the dotted paths of what `data` has set."""
        problems: list[Problem] = []
        taken: set[str] = set()
        merged: Settings = _merge(self, data, source, "", problems, taken)
        one = data.get("backend")
        names_one = isinstance(one, Mapping) and bool(one.get("url") or one.get("kind", "auto") != "auto")
        if names_one and not data.get("backends") and source is not Source.WORKSPACE:
            merged = attrs.evolve(merged, backends=())
        return merged, problems, taken


def _merge(
    section: Any,
    data: Mapping[str, Any],
    source: Source,
    path: str,
    problems: list[Problem],
    taken: set[str],
) -> Any:
    fields = {a.name: a for a in attrs.fields(type(section))}
    for key, value in data.items():
        name = _snake_case(str(key))
        where = path + str(key)
        attribute = fields.get(name)
        if attribute is None:
            problems.append(Problem(where, source, _unknown(name, fields, path)))
            continue
        current = getattr(section, name)
        if attrs.has(type(current)):
            if isinstance(value, Mapping):
                section = attrs.evolve(
                    section, **{name: _merge(current, value, source, where + ".", problems, taken)}
                )
            elif value is not None:
                problems.append(Problem(where, source, "must be a table of settings"))
            continue
        if value is None:
            continue  # editors send null for what the user did not set
        if attribute.metadata["machine"] and source is Source.WORKSPACE:
            given = _listed(value, source.INITIALIZATION, where, []) if name == "backends" else value
            if given != _plain(current) and given != current:
                problems.append(Problem(where, source, _MACHINE_ONLY))
            continue
        if name == "backends":
            value = _listed(value, source, where, problems)
        if name == "exclude" and source is Source.WORKSPACE and isinstance(value, (list, tuple)):
            value = list(
                dict.fromkeys([*current, *value])
            )  # a project may keep more out, and bring nothing back
        try:
            section = attrs.evolve(section, **{name: value})
        except (TypeError, ValueError) as error:
            problems.append(Problem(where, source, _reason(error)))
        else:
            taken.add(path + name)
    return section


def _listed(
    value: object, source: Source, where: str, problems: list[Problem]
) -> tuple[BackendSettings, ...]:
    """Return the servers of a list. No key is taken from where `backend` has its own by default: it is another's."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(entry, Mapping) for entry in value):
        problems.append(Problem(where, source, "must be a list of tables"))
        return ()
    return tuple(
        _merge(BackendSettings(api_key_env=""), entry, source, f"{where}[{number}].", problems, set())
        for number, entry in enumerate(value)
    )


def _unknown(name: str, known: Iterable[str], path: str) -> str:
    """Return what is wrong with a name that is none, and which one may be meant, here or in another section."""
    elsewhere = [".".join(place) for place in setting_paths() if place[-1] == name]
    if meant := _close(name, known) if path or not elsewhere else elsewhere:
        return f"unknown; did you mean {' or '.join(meant)}?"
    return f"unknown; known are {', '.join(sorted(known))}"


def _close(name: str, known: Iterable[str]) -> list[str]:
    """Return the names that `name` may be a slip of, the likeliest first."""
    from difflib import get_close_matches  # only whoever errs waits for it

    return get_close_matches(name, known)


def _snake_case(key: str) -> str:
    """Return our spelling of a key: configuration files also say `max-tokens`, and VS Code `maxTokens`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower().replace("-", "_")


_MACHINE_ONLY = (
    "ignored here, because a project's own files could set it; "
    "use initializationOptions, the configuration file or the environment"
)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _reason(error: Exception) -> str:
    """Return an attrs validator's complaint in one line, in a user's words and without the value: it may be a key."""
    line = str(error.args[0] if error.args else error).splitlines()[0].partition(" (got ")[0].rstrip(".")
    line = re.sub(r"^'?\w+'? (?=must )|(?<=must be )in \(|\)$|(?<=\d): .*$", _shorter, line)
    return re.sub(r"<class '(\w+)'>", lambda match: _TYPE_NAMES.get(match[1], match[1]), line)


def _shorter(part: re.Match[str]) -> str:
    """Return what stands for a part of a complaint: "one of" for `in (`, and nothing for what is said elsewhere."""
    return "one of " if part[0] == "in (" else ""


_TYPE_NAMES = {
    "int": "a whole number",
    "str": "a string",
    "bool": "true or false",
    "tuple": "a list",
    "NoneType": "unset",
}


def own_section(data: Any) -> Mapping[str, Any]:
    """Return our settings in what a client sent: as such, or under our name."""
    if not isinstance(data, Mapping):
        return {}
    inner = data.get(SECTION)
    return inner if isinstance(inner, Mapping) else data


def config_file() -> Path:
    """Return where the user's configuration file is expected."""
    if given := os.environ.get(ENVIRONMENT_PREFIX + "CONFIG"):
        return Path(given)
    from platformdirs import user_config_path

    return user_config_path("tabby-ls", appauthor=False) / "config.toml"


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that environment variables name, as nested data.

    A value is read as TOML (`true`, `12`, `["a"]`), and as a plain string where it is none.
    """
    data: dict[str, Any] = {}
    for path in setting_paths():
        text = environ.get(ENVIRONMENT_PREFIX + "_".join(path).upper())
        if text is None:
            continue
        table = data
        for part in path[:-1]:
            table = table.setdefault(part, {})
        try:
            table[path[-1]] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            table[path[-1]] = text
    return data


def _unknown_variables(environ: Mapping[str, str]) -> list[Problem]:
    """Return the variables with our prefix that look like a slip in a setting's name; others may be a user's keys."""
    known = ["_".join(path).upper() for path in setting_paths()]
    problems = []
    for variable in sorted(environ):
        name = variable.removeprefix(ENVIRONMENT_PREFIX)
        if name == variable or name in known or name == "CONFIG" or name.endswith(("KEY", "TOKEN")):
            continue
        meant = [setting for setting in known if setting.endswith(f"_{name}")] or _close(name, known)
        if meant:
            why = f"unknown; did you mean {ENVIRONMENT_PREFIX}{meant[0]}?"
            problems.append(Problem(variable, Source.ENVIRONMENT, why))
    return problems


def setting_paths(section: type = Settings, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every setting, as in `("backend", "url")`."""
    sample = section()
    for attribute in attrs.fields(section):
        value = getattr(sample, attribute.name)
        if attrs.has(type(value)):
            yield from setting_paths(type(value), (*path, attribute.name))
        else:
            yield (*path, attribute.name)


def load(
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
    in_file: Mapping[str, Any] | None = None,
) -> tuple[Settings, list[Problem]]:
    """Return the settings of the user's file and environment, and every problem found on the way.

    `in_file` is what was in the file, where it has been read already.
    """
    settings, problems, _ = load_with_origins(environ, file, in_file)
    return settings, problems


def read_config_file(file: Path | None = None) -> tuple[Mapping[str, Any] | None, Problem | None]:
    """Return what the user's file says, which is nothing where there is none; or None, and why it cannot be read."""
    file = config_file() if file is None else file
    try:
        return tomllib.loads(file.read_text("utf-8")), None
    except FileNotFoundError:
        return {}, None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return None, Problem("", Source.FILE, f"{file} cannot be read: {error}")


def load_with_origins(
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
    in_file: Mapping[str, Any] | None = None,
) -> tuple[Settings, list[Problem], dict[str, Source]]:
    """Return as :func:`load` does, and where each setting that is not at its default came from, by its dotted path."""
    environ = os.environ if environ is None else environ
    problems: list[Problem] = []
    if in_file is None:
        in_file, problem = read_config_file(file)
        problems = [problem] if problem else []
    settings, origins = Settings(), dict[str, Source]()
    for data, source in ((in_file or {}, Source.FILE), (from_environment(environ), Source.ENVIRONMENT)):
        settings, more, taken = settings.merged_with_origins(data, source)
        problems += more
        origins |= dict.fromkeys(taken, source)
    problems += _unknown_variables(environ)
    return settings, problems, origins
