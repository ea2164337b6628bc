"""What the user is told, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.engine.outcome import Origin, Outcome, Reason
from tabby_ls.server.status import STATUS, Status
from tabby_ls.settings import Problem, Source

DOWN = BackendError(Trouble.UNREACHABLE, "the server cannot be reached")
SLOW = BackendError(Trouble.TIMEOUT, "the server did not answer in time")


class Window:
    """Stands for the client: what it is shown and notified of."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.statuses: list[str] = []
        self.protocol = self

    def window_show_message(self, params: Any) -> None:
        self.messages.append(params.message)

    def notify(self, method: str, params: Any) -> None:
        assert method == STATUS
        self.statuses.append(params["state"])


@pytest.fixture
def window() -> Window:
    return Window()


@pytest.fixture
def status(window: Window) -> Status:
    return Status(window)  # type: ignore[arg-type]


def test_a_trouble_is_told_once_even_if_another_comes_between(window: Window, status: Status) -> None:
    for trouble in (DOWN, DOWN, SLOW, DOWN, SLOW):
        status.watch(trouble)
    assert window.messages == [f"tabby-ls: {DOWN.message}", f"tabby-ls: {SLOW.message}"]
    assert window.statuses == ["error", "error"]


@pytest.mark.parametrize("reason", [Reason.SHOWN, Reason.ALREADY_THERE, Reason.NOTHING_TO_SAY])
def test_an_answer_ends_all_troubles(window: Window, status: Status, reason: Reason) -> None:
    status.watch(DOWN)
    status.watch(SLOW)
    status.watch(Outcome(reason, origin=Origin.ASKED))
    status.watch(Outcome(reason, origin=Origin.ASKED))
    assert window.statuses == ["error", "error", "ready"]
    status.watch(DOWN)
    assert len(window.messages) == 3


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(Reason.SHOWN, origin=Origin.MEMORY),
        Outcome(Reason.BACKEND_FAILED),
        Outcome(Reason.BACKEND_RESTING),
        Outcome(Reason.SUPERSEDED, origin=Origin.ASKED),
        Outcome(Reason.TOO_LATE),
        Outcome(Reason.DISABLED),
    ],
)
def test_what_says_nothing_about_the_backend(window: Window, status: Status, outcome: Outcome) -> None:
    status.watch(DOWN)
    status.watch(outcome)
    assert window.statuses == ["error"]


def test_all_is_well_without_a_word(window: Window, status: Status) -> None:
    status.watch(Outcome(Reason.SHOWN, origin=Origin.ASKED))
    assert (window.messages, window.statuses) == ([], [])


def test_a_wrong_setting_is_named_once(window: Window, status: Status) -> None:
    problem = Problem("max_tokens", Source.ENVIRONMENT, "must be a whole number")
    status.problems([problem])
    status.problems([problem, Problem("x", Source.FILE, "unknown")])
    assert len(window.messages) == 2
    assert window.messages[0] == "tabby-ls: setting 'max_tokens' in the environment: must be a whole number"
