"""Which target a request goes to: the first that it is meant for, that may see the file, and that is not resting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic

from tabby_ls.context.privacy import Rule
from tabby_ls.engine.outcome import Outcome, Reason, Standing
from tabby_ls.engine.requests import Request
from tabby_ls.engine.target import Target
from tabby_ls.languages import language_named

STAYS = "a .gitignore excludes the file, so it is not sent to a server; only the local model completes in it"


class Choice:
    """The targets in the order of the settings, the first choice first.

    What a request was told by targets that it need not ask again is kept by the request, by `id` of the target.
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets

    def meant_for(self, language: str, *, invoked: bool) -> list[Target]:
        """Return the targets that the settings give such requests to; `language` as the editor names it."""
        name = language_named(language).id
        return [target for target in self._targets if target.server.serves(name, invoked=invoked)]

    def for_request(self, request: Request) -> list[Target]:
        """Return the targets that the settings give `request` to."""
        return self.meant_for(request.snapshot.language, invoked=request.invoked)

    def forbidden(self, rule: Rule | None) -> dict[int, Outcome]:
        """Return what is said for the targets that `rule` keeps a file from: an ignored one from all but `local`."""
        if rule is not Rule.GITIGNORE:
            return {}
        ignored = Outcome(Reason.FILE_IGNORED, detail=STAYS)
        return {id(target): ignored for target in self._targets if target.backend.kind != "local"}

    def first(self, request: Request, told: Mapping[int, Outcome]) -> Target | None:
        """Return the first target to ask: none that has `told` already, and unless invoked none that rests."""
        now = monotonic()
        return next(
            (
                target
                for target in self.for_request(request)
                if id(target) not in told and (request.invoked or not target.health.is_resting(now))
            ),
            None,
        )

    def nobody(self, request: Request, told: Mapping[int, Outcome]) -> Outcome:
        """Return the outcome of a request for which :meth:`first` found no target."""
        if told:
            return next(iter(told.values()))
        if not (meant := self.for_request(request)):
            return Outcome(Reason.NO_BACKEND)
        health = meant[0].health
        detail = health.error.message if health.error else ""
        return Outcome(Reason.BACKEND_RESTING, detail=detail, failing=health.failing(monotonic()))

    def standing(self) -> Standing:
        """Return who answers at present: the first that is well, or the first if none is."""
        first = self._targets[0]
        well = next((target for target in self._targets if target.health.error is None), first)
        return Standing(well.description, first.health.error, is_stand_in=well is not first)
