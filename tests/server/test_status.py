"""What the user is told, and how often."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from tabby_ls.backends.backend import BackendError, Trouble
from tabby_ls.engine.outcome import Outcome, Reason, Standing
from tabby_ls.server.clients import Client
from tabby_ls.server.status import STATUS, State, Status
from tabby_ls.settings import Problem, Source
from tests.support.waiting import eventually

DOWN = BackendError(Trouble.UNREACHABLE, "the server cannot be reached")
SLOW = BackendError(Trouble.TIMEOUT, "the server did not answer in time")
WELL = Outcome(Reason.SHOWN)


class Session:
    """Stands for the client, what it is shown and notified of, and for the engine, which knows who answers."""

    def __init__(self, *, shows_status: bool) -> None:
        self.messages: list[str] = []
        self.logged: list[str] = []
        self.states: list[tuple[str, str]] = []
        self.protocol = self
        self.standing = Standing("TabbyAPI")
        self.status = Status(self, lambda: self.standing)  # type: ignore[arg-type]
        self.status.client = Client(shows_status=shows_status)

    def window_show_message(self, params: Any) -> None:
        self.messages.append(params.message.removeprefix("tabby-ls: "))

    def window_log_message(self, params: Any) -> None:
        self.logged.append(params.message)

    def notify(self, method: str, params: Any) -> None:
        assert method == STATUS
        self.states.append((params["state"], params["message"]))

    def fails(self, error: BackendError) -> None:
        self.standing = evolve(self.standing, error=error)
        self.status.failed(error)

    def answers(self) -> None:
        self.standing = evolve(self.standing, error=None)
        self.status.ended(WELL)


@pytest.fixture
def plain() -> Session:
    """An editor without a plugin of ours."""
    return Session(shows_status=False)


@pytest.fixture
def plugin() -> Session:
    return Session(shows_status=True)


def test_a_trouble_is_told_and_logged_once_even_if_another_comes_between(
    plain: Session, caplog: pytest.LogCaptureFixture
) -> None:
    for trouble in (DOWN, DOWN, SLOW, DOWN, SLOW):
        plain.fails(trouble)
    assert plain.messages == [DOWN.message, SLOW.message]
    assert caplog.messages == [f"backend: {DOWN.message}", f"backend: {SLOW.message}"]


def test_an_answer_ends_all_troubles_and_is_told_once(plain: Session) -> None:
    plain.fails(DOWN)
    plain.fails(SLOW)
    plain.answers()
    plain.answers()
    assert plain.messages == [DOWN.message, SLOW.message, "TabbyAPI answers again"]
    plain.fails(DOWN)
    assert plain.messages[3:] == [DOWN.message]


def test_other_settings_are_no_answer(plain: Session) -> None:
    plain.fails(DOWN)
    plain.standing = Standing("local model")
    plain.status.reconfigured(None)
    plain.answers()
    assert plain.messages == [DOWN.message]


def test_a_trouble_that_outlasts_other_settings_is_not_told_again(plain: Session) -> None:
    plain.fails(DOWN)
    plain.status.reconfigured(None)
    plain.fails(DOWN)
    assert plain.messages == [DOWN.message]


def test_who_stands_in_is_named(plain: Session) -> None:
    plain.standing = Standing("local model", DOWN, is_stand_in=True)
    plain.status.failed(DOWN)
    assert plain.messages == [f"{DOWN.message} (meanwhile: local model)"]


def test_where_a_key_is_given_is_said_in_the_clients_words(plugin: Session) -> None:
    plugin.status.client = Client(shows_status=True, key_variable="KEY", key_command="Set API Key")
    plugin.fails(BackendError(Trouble.UNAUTHORIZED, "it refused the key", "It is in KEY.", key_from="KEY"))
    plugin.fails(BackendError(Trouble.UNAUTHORIZED, "it refused the key", "It is in MINE.", key_from="MINE"))
    assert [message for _, message in plugin.states] == [
        "it refused the key. Give it with the command Set API Key.",
        "it refused the key. It is in MINE.",
    ]


def test_a_plugin_is_notified_of_what_changes_and_of_nothing_else(plugin: Session) -> None:
    plugin.status.update()
    plugin.answers()
    for trouble in (DOWN, DOWN, SLOW):
        plugin.fails(trouble)
    plugin.answers()
    assert plugin.states == [("idle", ""), ("error", DOWN.message), ("error", SLOW.message), ("idle", "")]
    assert plugin.messages == []


@pytest.mark.parametrize(
    "reason",
    [Reason.SHOWN, Reason.NOTHING_TO_SAY, Reason.SUPERSEDED, Reason.TOO_LATE, Reason.MANUAL_ONLY],
)
def test_how_a_request_ends_says_nothing_about_the_backend(plugin: Session, reason: Reason) -> None:
    plugin.fails(DOWN)
    plugin.status.ended(Outcome(reason))
    assert plugin.states == [("error", DOWN.message)]


def test_where_nothing_is_ever_suggested_it_is_off_and_says_why(plugin: Session) -> None:
    for reason in (Reason.SHOWN, Reason.PRIVATE_FILE, Reason.PRIVATE_FILE, Reason.SHOWN):
        plugin.status.ended(Outcome(reason))
    assert [state for state, _ in plugin.states] == ["idle", "off", "idle"]
    assert "keys or passwords" in plugin.states[1][1]


def test_it_is_about_the_file_that_the_user_went_to(plugin: Session) -> None:
    assert plugin.status.entered(Reason.PRIVATE_FILE).state == "off"
    plugin.status.ended(WELL, is_here=False)
    plugin.status.update()
    assert plugin.states == []
    assert plugin.status.entered(None).state == "idle"
    plugin.fails(DOWN)
    assert plugin.states == [("error", DOWN.message)]


def test_being_off_counts_more_than_being_broken(plugin: Session) -> None:
    plugin.fails(DOWN)
    plugin.status.reconfigured(Reason.SWITCHED_OFF)
    assert [state for state, _ in plugin.states] == ["error", "off"]
    assert plugin.status.state(None) == State("error", "TabbyAPI", DOWN.message)


def test_all_is_well_without_a_word(plain: Session) -> None:
    plain.answers()
    assert (plain.messages, plain.states) == ([], [])


def test_a_wrong_setting_is_named_once_to_everybody(plain: Session, plugin: Session) -> None:
    problem = Problem("max_tokens", Source.ENVIRONMENT, "must be a whole number")
    for session in (plain, plugin):
        session.status.problems([problem])
        session.status.problems([problem, Problem("x", Source.FILE, "unknown")])
        assert len(session.messages) == 2
        assert session.messages[0] == "setting 'max_tokens' in the environment: must be a whole number"


def test_what_is_no_problem_stops_nobody_by_its_length(plain: Session) -> None:
    plain.status.client = Client(names_server=True, longest_message=20)
    plain.status.inform("there is no problem here")
    plain.fails(DOWN)
    plain.status.tell("what a command of the user's returned")
    assert plain.messages == ["there is no problem…", DOWN.message, "what a command of the user's returned"]
    assert plain.logged == ["there is no problem here"]


async def test_where_the_next_key_takes_a_message_away_it_waits_for_a_pause(plain: Session) -> None:
    plain.status.client = Client(has_message_line=True)
    plain.status.edited()
    plain.fails(DOWN)
    plain.status.tell("what a command of the user's returned")
    await eventually(lambda: len(plain.messages) == 2)
    assert plain.messages == ["what a command of the user's returned", DOWN.message]
