"""The model as a server uses it: deadlines, threads, open documents, private files."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tabby_ls.local_model.library import path_of
from tabby_ls.local_model.model import LocalModel, Prediction

from .conftest import Ask, query

LINES = "".join(f"result_{number} = compute(result_{number - 1}, weight)\n" for number in range(1, 60))


def predict(model: LocalModel, text: str) -> Prediction | None:
    return model.predict(query(text), deadline=60.0, cancelled=lambda: False)


def test_the_same_question_has_the_same_answer(tmp_path: Path) -> None:
    text = LINES + "result_60 = comp|\n"
    answers = {predict(LocalModel(tmp_path), text) for _ in range(3)}
    again = LocalModel(tmp_path)
    answers |= {predict(again, text) for _ in range(3)}
    assert len(answers) == 1
    assert answers != {None}


def test_at_the_deadline_what_is_known_is_judged(model: LocalModel) -> None:
    text = LINES + "result_60 = comp|\n"
    full = predict(model, text)
    late = model.predict(query(text), deadline=0.0, cancelled=lambda: False)
    assert full is not None
    assert late is None or full.text.startswith(late.text)


def test_a_cancelled_prediction_says_nothing(model: LocalModel) -> None:
    text = LINES + "result_60 = comp|\n"
    assert model.predict(query(text), deadline=60.0, cancelled=lambda: True) is None


def test_cancelling_ends_the_decoding(model: LocalModel) -> None:
    calls: list[None] = []

    def after_two() -> bool:
        calls.append(None)
        return len(calls) > 2

    assert model.predict(query(LINES + "result_60 = |\n"), deadline=60.0, cancelled=after_two) is None
    assert len(calls) < 8


def test_threads_do_not_disturb_each_other(model: LocalModel) -> None:
    texts = [LINES + f"result_{number} = comp|\n" for number in range(60, 64)]
    expected = [predict(model, text) for text in texts]
    stop = threading.Event()

    def edit() -> None:
        number = 0
        while not stop.is_set():
            model.open_document(f"/w/{number % 3}.txt", "entirely other words\n" * 3)
            model.close_document(f"/w/{(number + 1) % 3}.txt")
            number += 1

    with ThreadPoolExecutor(5) as pool:
        editor = pool.submit(edit)
        found = list(pool.map(lambda text: predict(model, text), texts * 5))
        stop.set()
        editor.result()
    assert [one and one.text for one in found] == [one and one.text for one in expected] * 5


@pytest.mark.parametrize("name", [".env", "deploy/.env.production", "id_rsa", "server.pem", ".npmrc"])
def test_private_files_are_neither_completed_nor_learned_from(model: LocalModel, ask: Ask, name: str) -> None:
    text = "host = example.com\n" * 5
    assert ask(text + "host = |\n", path=f"/w/{name}") is None
    model.open_document(f"/w/{name}", text)
    assert ask("host = |\n") is None


def test_a_key_in_the_document_itself_is_not_repeated(ask: Ask) -> None:
    key = "9fK2mQ7xR4tB8vN1pL5wZ3yH6cJ0dS"
    said = f'connect("example", "{key}")\n' * 5
    prediction = ask(said + 'connect("example", |\n', threshold=0.01)
    assert prediction is None or "9fK" not in prediction.text


def test_a_minified_line_costs_no_more_than_another(ask: Ask) -> None:
    def seconds(marked: str) -> float:
        began = time.perf_counter()
        ask(marked)
        return time.perf_counter() - began

    usual = seconds("    total = total + value\n" * 2400 + "    total|" + "\n")
    # A hundredfold leaves room for a busy machine; what is quadratic in the line takes thousandfold.
    assert seconds("var a=" + "b(c,d);" * 9000 + "|") < 100 * usual
    assert seconds(" " * 60_000 + "|" + " " * 30_000) < 100 * usual


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("file:///home/me/a%20b.py", "/home/me/a b.py"),
        ("file:///c%3A/src/a.py", "c:/src/a.py"),
        ("/home/me/a.py", "/home/me/a.py"),
        ("untitled:Untitled-1", "untitled:Untitled-1"),
    ],
)
def test_documents_are_known_by_path(given: str, path: str) -> None:
    assert path_of(given) == path
