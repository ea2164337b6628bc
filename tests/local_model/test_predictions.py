"""What the model says, in examples. The cursor is `|`."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tabby_ls.local_model.model import LocalModel, Prediction

from .conftest import Ask

SPREAD = "\n".join(
    f"def handle_{name}(request):\n    check(request)\n    return render(request, {name})\n"
    for name in "abcdefgh"
)


def text_of(prediction: Prediction | None) -> str | None:
    return prediction.text if prediction else None


def test_a_line_that_was_written_before_is_completed(ask: Ask) -> None:
    assert text_of(ask(SPREAD + "\ndef handle_x(request):\n    che|\n")) == "ck(request)"


def test_names_are_exchanged_as_in_the_lines_above(ask: Ask) -> None:
    said = "self.width = options.width\nself.height = options.height\nself.depth = options.depth\nself.color = |\n"
    assert text_of(ask(said)) == "options.color"


def test_part_of_a_name_is_exchanged(ask: Ask) -> None:
    said = "min_width = read('minWidth')\nmin_height = read('minHeight')\nmax_width = read('maxWidth')\nmax_height = read(|\n"
    assert text_of(ask(said, threshold=0.3)) in ("'maxHeight", "'maxHeight'", "'maxHeight')")


def test_the_text_below_the_cursor_counts(ask: Ask) -> None:
    below = "\n" + "\n".join(f"logger.warning('{number}')" for number in range(6))
    assert (text_of(ask("logger.wa|" + below)) or "").startswith("rning(")


def test_it_stops_where_the_evidence_parts(ask: Ask) -> None:
    said = "".join(f"add(Button, '{name}')\n" for name in ("open", "save", "print", "quit", "undo", "copy"))
    prediction = ask(said + "ad|\n")
    assert prediction is not None
    assert "d(Button, '".startswith(prediction.text)


def test_several_lines_if_they_are_sure_enough(ask: Ask) -> None:
    block = dedent(
        """\
        try:
            connection.commit()
        except Error:
            connection.rollback()
            raise
        """
    )
    said = block * 6 + "try:\n    connection.com|\n"
    prediction = ask(said, max_lines=3)
    assert prediction is not None
    assert "mit()\nexcept Error:\n    connection.rollback()\n".startswith(prediction.text)
    assert "\n" in prediction.text
    one_line = ask(said, max_lines=1)
    assert text_of(one_line) == "mit()"


LOOP = "if ready:\n    start(engine)\n    go(engine, fast)\n\n"


def test_indentation_is_the_cursors(ask: Ask) -> None:
    prediction = ask(LOOP * 20 + "def f():\n    if ready:\n        sta|\n", max_lines=3, threshold=0.3)
    assert prediction is not None
    assert prediction.text == "rt(engine)\n        go(engine, fast)"


def test_tabs_where_the_document_has_tabs(ask: Ask) -> None:
    said = (LOOP * 20).replace("    ", "\t")
    prediction = ask(said + "def f():\n\tif ready:\n\t\tsta|\n", max_lines=3, threshold=0.3)
    assert prediction is not None
    assert prediction.text == "rt(engine)\n\t\tgo(engine, fast)"


def test_another_open_document_is_learned_from(model: LocalModel, ask: Ask) -> None:
    line = "connection = open_connection(settings.host, settings.port)\n"
    assert ask("conn|\n") is None
    model.open_document("file:///w/other.py", line * 3)
    assert (text_of(ask("connection = open_|\n")) or "").startswith("connection(")
    model.close_document("file:///w/other.py")
    assert ask("connection = open_|\n") is None


def test_a_higher_threshold_says_less(ask: Ask) -> None:
    said = "".join(f"add(Button, '{name}')\n" for name in ("open", "save", "print"))
    lengths = [
        len(text_of(ask(said + "add(|\n", threshold=threshold)) or "") for threshold in (0.05, 0.5, 0.999)
    ]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[-1] == 0


@pytest.mark.parametrize("text", ["|", "foo|", "\n\n|", "    |", " |\n\n", "x = |"])
def test_nothing_is_said_where_nothing_was_said_before(ask: Ask, text: str) -> None:
    assert ask(text, threshold=0.01) is None


def test_not_within_a_word(ask: Ask) -> None:
    assert ask(SPREAD + "\ndef handle_x(request):\n    che|ck\n") is None


def test_not_what_the_next_line_says_already(ask: Ask) -> None:
    assert ask(SPREAD + "\ndef handle_x(request):\n    che|\n    check(request)\n") is None


def test_not_what_stands_right_of_the_cursor(ask: Ask) -> None:
    assert ask(SPREAD + "\ndef handle_x(request):\n    check(|request)\n") is None


def test_text_is_inserted_before_other_text_only_if_it_leads_there(ask: Ask) -> None:
    said = "copy(source, target, force=True)\n" * 6
    assert text_of(ask(said + "copy(source, |force=True)\n")) == "target, "
    assert ask(said + "copy(source, |unknown)\n") is None


def test_closers_right_of_the_cursor_do_not_matter(ask: Ask) -> None:
    assert (text_of(ask(SPREAD + "\ndef handle_x(request):\n    check(|)\n")) or "").startswith("request")
