"""What the user switched on or off while working, for as long as the session lasts."""

from __future__ import annotations

from enum import StrEnum

from attrs import Factory, define

from tabby_ls.context.privacy import file_path
from tabby_ls.languages import language_named
from tabby_ls.settings import Settings


class Scope(StrEnum):
    """How much one switch is for."""

    SESSION = "session"
    LANGUAGE = "language"
    FILE = "file"


@define
class Switches:
    """The switches of one session; where none was touched, the settings decide.

    The session's is the main one: with it off, everything is. A file's own goes before its language's; a notebook's
    cells are one file.
    Languages are named as the editor does.
    """

    _session: bool | None = None
    _languages: dict[str, bool] = Factory(dict)
    _files: dict[str, bool] = Factory(dict)

    def touched(self, scope: Scope, uri: str, language: str) -> bool | None:
        """Return how a switch was set, None while it was not touched."""
        match scope:
            case Scope.SESSION:
                return self._session
            case Scope.LANGUAGE:
                return self._languages.get(language_named(language).id)
            case Scope.FILE:
                return self._files.get(_file_of(uri))

    def is_on(self, scope: Scope, uri: str, language: str, settings: Settings) -> bool:
        """Return whether suggestions are on for `scope`, whatever the main switch says of narrower ones."""
        if (switch := self.touched(scope, uri, language)) is not None:
            return switch
        match scope:
            case Scope.SESSION:
                return settings.enabled
            case Scope.LANGUAGE:
                return not {language, language_named(language).id} & {*settings.disabled_languages}
            case Scope.FILE:
                return self.is_on(Scope.LANGUAGE, uri, language, settings)

    def turn(self, scope: Scope, uri: str, language: str, settings: Settings, *, on: bool) -> None:
        """Turn a switch on or off. A file that is turned on where its language is follows its language again."""
        match scope:
            case Scope.SESSION:
                self._session = on
            case Scope.LANGUAGE:
                self._languages[language_named(language).id] = on
            case Scope.FILE:
                self._files.pop(_file_of(uri), None)
                if not on or not self.is_on(Scope.LANGUAGE, uri, language, settings):
                    self._files[_file_of(uri)] = on

    def settings_changed(self, old: Settings, new: Settings) -> None:
        """Let go of the switches that a changed setting is about: what the user said last counts."""
        if new.enabled != old.enabled:
            self._session = None
        for name in {*old.disabled_languages} ^ {*new.disabled_languages}:
            self._languages.pop(language_named(name).id, None)


def _file_of(uri: str) -> str:
    return file_path(uri) or uri
