"""The gate: decides from settings, switches and file rules whether a request in a file may be answered at all."""

from __future__ import annotations

from tabby_ls.context.privacy import FileRules, Rule
from tabby_ls.engine.outcome import Reason
from tabby_ls.engine.switches import Scope, Switches
from tabby_ls.settings import Settings


def refuse(
    uri: str, language: str, settings: Settings, rules: FileRules, switches: Switches, *, invoked: bool
) -> Reason | None:
    """Return why a request in this file must not be answered, None if it may be.

    A switch of the user's may bring back a disabled language, never a private or excluded file.
    """

    def is_off(scope: Scope) -> bool:
        return not switches.is_on(scope, uri, language, settings)

    def was_touched(scope: Scope) -> bool:
        return switches.touched(scope, uri, language) is not None

    if is_off(Scope.SESSION):
        return Reason.SWITCHED_OFF if was_touched(Scope.SESSION) else Reason.DISABLED
    rule = rules.rule_for(uri)
    if rule is not None and rule.forbids_all:
        return _REASONS[rule]
    if is_off(Scope.FILE):
        if was_touched(Scope.FILE):
            return Reason.FILE_SWITCHED_OFF
        return Reason.LANGUAGE_SWITCHED_OFF if was_touched(Scope.LANGUAGE) else Reason.LANGUAGE_DISABLED
    if settings.trigger == "manual" and not invoked:
        return Reason.MANUAL_ONLY
    return None


#: A file that only .gitignore leaves out is another matter: the local model may complete in it.
_REASONS = {
    Rule.PRIVATE: Reason.PRIVATE_FILE,
    Rule.EXCLUDED: Reason.FILE_EXCLUDED,
    Rule.TABBYIGNORE: Reason.FILE_IGNORED,
}
