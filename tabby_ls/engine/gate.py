"""Should we ask at all?"""

from __future__ import annotations

from tabby_ls.context.privacy import FileRules
from tabby_ls.engine.outcome import Reason
from tabby_ls.engine.snapshot import Snapshot
from tabby_ls.languages import Language
from tabby_ls.settings import Settings


def refuse(
    snapshot: Snapshot, language: Language, settings: Settings, rules: FileRules, *, invoked: bool
) -> Reason | None:
    """Return why this request must not be answered, None if it may be."""
    if not settings.enabled:
        return Reason.DISABLED
    if settings.trigger == "manual" and not invoked:
        return Reason.MANUAL_ONLY
    if {language.id, snapshot.language} & set(settings.disabled_languages):
        return Reason.LANGUAGE_DISABLED
    if rules.is_private(snapshot.uri):
        return Reason.PRIVATE_FILE
    if rules.is_excluded(snapshot.uri):
        return Reason.FILE_EXCLUDED
    return None
