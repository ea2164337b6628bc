"""How a setting is declared: its default, its documentation, what it may be, and who may say it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import attrs
from attrs import Attribute, field, validators

#: An attrs validator: raises TypeError or ValueError for a value that may not be.
Check: TypeAlias = Callable[[Any, Any, Any], Any]


def setting(
    default: Any,
    doc: str,
    *checks: Check,
    machine: bool = False,
    example: Any = None,
    is_extended: bool = False,
    entry: Any = None,
    **field_arguments: Any,
) -> Any:
    """Declare one setting as a field of an attrs class.

    `doc` is Markdown, for users. A `machine` setting says where code and keys go or what is run: no project can set it.
    One that is unset by default has an `example` of what it may be. To one that `is_extended` a project can only add.
    `entry` has the defaults of each table, where the setting is a list of tables.
    """
    metadata = {
        "doc": doc,
        "machine": machine,
        "example": example,
        "is_extended": is_extended,
        "entry": entry,
    }
    return field(default=default, validator=list(checks), metadata=metadata, **field_arguments)


def strings(default: tuple[str, ...], doc: str, *checks: Check, **arguments: Any) -> Any:
    """Declare a setting that is a list of strings; further arguments are those of :func:`setting`."""
    return setting(default, doc, _are_strings, *checks, converter=_as_tuple, **arguments)


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


is_boolean = validators.instance_of(bool)
is_string = validators.instance_of(str)
_are_strings = validators.deep_iterable(is_string, validators.instance_of(tuple))


def one_of(*values: str) -> Check:
    """Return a check for one of some words."""
    return validators.in_(values)


def only(*values: str) -> Check:
    """Return a check for a list in which nothing but these words stands."""

    def check(_: object, attribute: Attribute[Any], value: tuple[str, ...]) -> None:
        if unknown := set(value).difference(values):
            known = ", ".join(values)
            raise ValueError(f"{attribute.name} may hold {known}, and not {', '.join(sorted(unknown))}")

    return check


def whole_number(minimum: int, maximum: int) -> Check:
    """Return a check for a whole number within these bounds."""
    return _bounded(int, minimum, maximum)


def number(minimum: float, maximum: float) -> Check:
    """Return a check for a number within these bounds."""
    return _bounded((int, float), minimum, maximum)


def unset_or(check: Check) -> Check:
    """Return a check that also lets None through."""
    return validators.optional(check)


#: How addresses begin, for editors that check settings as they are typed.
URL_PATTERN = "^(https?://.*)?$"


def is_url(_: object, attribute: Attribute[Any], value: str) -> None:
    """Check that an address, if there is one, is of HTTP, and that of a server."""
    if not value:
        return
    if not re.match(URL_PATTERN, value):
        raise ValueError(f"{attribute.name} must begin with http:// or https://")
    try:
        url = urlsplit(value)
        names_a_host = bool(url.hostname and (url.port is None or url.port))
    except ValueError:  # a port that is no number, half of an address of IPv6
        names_a_host = False
    if not names_a_host:
        raise ValueError(f"{attribute.name} must name a host, as in http://127.0.0.1:5000")
    if "@" in url.netloc or url.query or url.fragment:
        raise ValueError(
            f"{attribute.name} must not hold a user, a query or a fragment; keys have settings of their own"
        )


def are_headers(_: object, attribute: Attribute[Any], value: Mapping[str, str]) -> None:
    """Check for a table of strings."""
    if not isinstance(value, Mapping) or not all(
        isinstance(k, str) and isinstance(v, str) for k, v in value.items()
    ):
        raise TypeError(f"{attribute.name} must map names to strings")


def _bounded(kind: type | tuple[type, ...], minimum: float, maximum: float) -> Check:
    return validators.and_(
        _not_boolean, validators.instance_of(kind), validators.ge(minimum), validators.le(maximum)
    )


def _not_boolean(_: object, attribute: Attribute[Any], value: object) -> None:
    if isinstance(value, bool):  # which is an int to Python
        raise TypeError(f"{attribute.name} must be a number")


def paths_in(section: type, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every setting in a class of settings, as in `("backend", "url")`; `path` is its own."""
    sample = section()
    for attribute in attrs.fields(section):
        value = getattr(sample, attribute.name)
        if attrs.has(type(value)):
            yield from paths_in(type(value), (*path, attribute.name))
        else:
            yield (*path, attribute.name)
