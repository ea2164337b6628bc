"""Finds the family that a model belongs to, and with it the prompt format it was trained on. The data is families.toml.

A model is known by its id, by the user's word, or, weakly, by the special tokens its tokenizer knows:
those tell neither their order nor whether the weights were trained on them.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection
from functools import cache
from importlib import resources
from typing import Any

from attrs import frozen

from tabby_ls.prompts.template import Template

#: What a special token looks like inside a template or a list of stop strings.
_TOKEN = re.compile(r"<[^<>\s]+>|\[/?[A-Z]+\]")

#: The end of an id that tells a file format, a quantisation or a part of a split file: "-GGUF",
#: "-Q4_K_M", "-exl3-4.0bpw-h6", ":latest". Its digits could pass for a version: "starcoder-2.4bpw".
_PACKAGING = re.compile(
    r"""(?:^|[-.])(?:
        gguf | ggml | safetensors | exl[23] | awq | gptq | hqq | aqlm | mlx | bnb | imat | i1 | latest
      | (?:ud-)?i?q\d(?:-[0-9a-z]{1,3})*
      | \d+(?:\.\d+)?-?bpw | h\d
      | \d+-?bit | (?:bf|fp|f|int|nf)\d+ | w\d+a\d+
      | \d{5}-of-\d{5}
    )$""",
    re.VERBOSE,
)

#: Names of files and folders that say nothing of the model in them: a revision's hash, what a converter calls
#: its output, a folder for the quantisation.
_NAMELESS = re.compile(
    r"|[0-9a-f]{7,64}|snapshots?|main|model|models|weights|(?:ggml|pytorch)-model|base|instruct"
)


@frozen(eq=False)
class Family:
    """Models that are asked in the same way; the fields are those of families.toml, where they are explained.

    `family_named` and its kin return one instance a name.

    `template` is None if the models cannot be asked to fill in the middle; `why` then says why not, as
    the end of a sentence. `file` and `with_files` are None if the family has no form of its own for
    further files. `tokens` are all special tokens of the family. `bos` is True if the text has to begin
    with the tokenizer's BOS, False if it must not, None if the server's tokenizer settings decide.
    """

    name: str
    pattern: str
    template: Template | None
    file: Template | None
    with_files: Template | None
    stop: tuple[str, ...]
    file_stop: tuple[str, ...]
    tokens: frozenset[str]
    bos: bool | None
    why: str
    source: str

    @property
    def fim(self) -> bool:
        """True if the models can be asked to fill in the middle with a prompt."""
        return self.template is not None


@frozen
class Guess:
    """The family a tokenizer looks like, and what may be wrong about that."""

    family: Family
    caveat: str


@frozen
class _Table:
    families: tuple[Family, ...]
    common_tokens: frozenset[str]
    probes: tuple[tuple[frozenset[str], str, str], ...]


def families() -> tuple[Family, ...]:
    """Return all families, in the order in which model ids are compared with them."""
    return _table().families


def common_tokens() -> frozenset[str]:
    """Return special tokens of chat formats and of tokenizers that many families share."""
    return _table().common_tokens


def family_for_model(model_id: str) -> Family | None:
    """Return the family of a model id such as "Qwen/Qwen2.5-Coder-7B-GGUF:Q4_K_M", None if unknown.

    The id may be a name, a directory's name or a path. The family may be one without a template.
    """
    name = _normalised(model_id)
    return next((family for family in families() if re.search(family.pattern, name)), None)


def family_named(name: str) -> Family:
    """Return the family the user names. Raise ValueError, for the user to read, if there is no use in it."""
    wanted = name.strip().lower().replace("_", "-")
    by_name = {family.name: family for family in families()}
    family = by_name.get(wanted)
    if family is not None and family.fim:
        return family
    if family is not None:
        raise ValueError(f"The family {wanted!r} cannot be used: {family.why}.")
    usable = [family.name for family in families() if family.fim]
    close = difflib.get_close_matches(wanted, usable, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"There is no family {name!r}.{hint} Known are: {', '.join(sorted(usable))}.")


def probe_tokens() -> tuple[str, ...]:
    """Return the tokens to ask a server's tokenizer about: which of them does it encode as one token?"""
    return tuple(dict.fromkeys(token for tokens, _, _ in _table().probes for token in sorted(tokens)))


def guess_from_tokens(present: Collection[str]) -> Guess | None:
    """Return the family that a tokenizer knowing the probe tokens `present` suggests, None if none does."""
    for tokens, name, caveat in _table().probes:
        if tokens.issubset(present):
            return Guess(family_named(name), caveat)
    return None


def _normalised(model_id: str) -> str:
    """Return the telling part of a model id: lower case, no publisher, format or quantisation.

    Where the last part of a path is called after the format alone, the folder it is in has the name; in the cache
    of Hugging Face that is `models--PUBLISHER--NAME`, some folders up.
    """
    path = re.sub(r"[_:@\s]", "-", model_id.strip().lower()).replace("\\", "/")
    for name in reversed(path.split("/")):
        rest, previous = name.rpartition("--")[2], ""
        while rest != previous:
            rest, previous = _PACKAGING.sub("", rest), rest
        if not _NAMELESS.fullmatch(rest):
            return rest
    return ""


@cache
def _table() -> _Table:
    data = tomllib.loads(resources.files("tabby_ls.prompts").joinpath("families.toml").read_text("utf-8"))
    return _Table(
        families=tuple(_family(entry) for entry in data["family"]),
        common_tokens=frozenset(data["common"]),
        probes=tuple(
            (frozenset(probe["tokens"]), probe["family"], probe["caveat"]) for probe in data["probe"]
        ),
    )


def _family(entry: dict[str, Any]) -> Family:
    template, file, with_files = (
        Template.parse(entry[key]) if key in entry else None for key in ("template", "file", "with_files")
    )
    stop, file_stop = tuple(entry.get("stop", ())), tuple(entry.get("file_stop", ()))
    literals = [part for form in (template, file, with_files) if form for part in form.literals]
    found = {token for text in (*literals, *stop) for token in _TOKEN.findall(text)}
    return Family(
        name=entry["name"],
        pattern=entry["pattern"],
        template=template,
        file=file,
        with_files=with_files,
        stop=stop,
        file_stop=file_stop,
        tokens=frozenset(found.union(entry.get("special", ()))),
        bos=entry.get("bos"),
        why=entry.get("why", ""),
        source=entry["source"],
    )
