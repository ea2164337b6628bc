"""Should we ask at all?"""

from __future__ import annotations

from tabby_ls.context.privacy import FileRules
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
    if rules.is_private(uri):
        return Reason.PRIVATE_FILE
    if rules.is_excluded(uri):
        return Reason.FILE_EXCLUDED
    if is_off(Scope.FILE):
        if was_touched(Scope.FILE):
            return Reason.FILE_SWITCHED_OFF
        return Reason.LANGUAGE_SWITCHED_OFF if was_touched(Scope.LANGUAGE) else Reason.LANGUAGE_DISABLED
    if settings.trigger == "manual" and not invoked:
        return Reason.MANUAL_ONLY
    return None
