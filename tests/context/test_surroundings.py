"""Which pieces of other text the model is shown, and when that changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from attrs import evolve

from tabby_ls.backends.backend import Snippet
from tabby_ls.context import open_documents, surroundings
from tabby_ls.context.privacy import FileRules
from tabby_ls.context.surroundings import Cursor, Surroundings
from tabby_ls.local_model.blend import Source
from tabby_ls.local_model.segment import File, Segment, build_segment

STORE = '''
class InvoiceStore:
    """Keeps invoices."""

    def __init__(self, folder):
        self.folder = folder

    def add_invoice(self, number, amount, customer):
        self._write(number, {"amount": amount, "customer": customer})

    def invoices_of(self, customer):
        return [invoice for invoice in self._all() if invoice.customer == customer]
'''
WEATHER = "def forecast(city):\n    temperature = measure(city)\n    return sunny(temperature)\n"
MAIN = "from store import InvoiceStore\n\nstore = InvoiceStore(path)\nstore."


@pytest.fixture
async def around() -> AsyncIterator[Surroundings]:
    made = Surroundings()
    yield made
    await made.close()


def show(around: Surroundings, name: str, text: str) -> list[str]:
    lines = text.split("\n")
    around.opened(f"file:///work/{name}", "python", lambda: lines)
    return lines


def cursor(prefix: str = MAIN, suffix: str = "\n", name: str = "main.py") -> Cursor:
    line = prefix.count("\n")
    return Cursor(f"file:///work/{name}", name, "python", line, prefix, suffix, (prefix, suffix))


def words(found: tuple[Snippet, ...]) -> str:
    return "\n".join(piece.text for piece in found)


async def test_the_definition_of_an_imported_name_is_shown(around: Surroundings) -> None:
    show(around, "weather.py", WEATHER)
    show(around, "store.py", STORE)
    found = await around.snippets(cursor(), 2000)
    assert found[0].path == "store.py"
    assert "def add_invoice(self, number, amount, customer)" in words(found)
    assert "forecast" not in words(found)


async def test_no_more_than_fits(around: Surroundings) -> None:
    for number in range(30):
        show(around, f"store{number}.py", STORE.replace("folder", f"folder{number}"))
    for room in (1000, 300, 50, 0):
        found = await around.snippets(cursor(), room)
        assert sum(len(piece.text) for piece in found) <= room


async def test_nothing_is_shown_twice(around: Surroundings) -> None:
    for name in ("one.py", "two.py", "three.py"):
        show(around, name, STORE)
    found = await around.snippets(cursor(), 6000)
    assert words(found).count("self._write(number") == 1


async def test_nor_what_says_the_same_in_other_lines(around: Surroundings) -> None:
    show(around, "one.py", "total = store.add_invoice(number, amount, customer)\nstore.close(total)")
    show(
        around, "two.py", "total = store.add_invoice(\n  number, amount,\n  customer)\nstore.close(\n  total)"
    )
    assert len(await around.snippets(cursor(), 6000)) == 1


async def test_what_the_window_holds_is_not_shown(around: Surroundings) -> None:
    show(around, "store.py", STORE)
    found = await around.snippets(cursor(STORE + MAIN), 2000)
    assert "def add_invoice" not in words(found)


async def test_of_the_document_itself_what_is_outside_of_the_window_is_shown(around: Surroundings) -> None:
    text = STORE + "\n" * 300 + MAIN
    show(around, "main.py", text)
    here = cursor(text)
    found = await around.snippets(evolve(here, window=(MAIN, "\n")), 2000)
    assert "def add_invoice" in words(found)


async def test_recent_changes_elsewhere_are_shown(around: Surroundings) -> None:
    lines = show(around, "other.py", "\n".join(f"unrelated_{n} = {n}" for n in range(200)))
    lines[150] = "renamed_setting = 150"
    around.edited("file:///work/other.py", 150, 150, "renamed_setting")
    assert "renamed_setting" in words(await around.snippets(cursor(), 1500))


async def test_the_choice_holds_from_key_to_key_and_changes_elsewhere(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands before the window must not change, or the server computes all of it anew."""
    show(around, "store.py", STORE)
    show(around, "weather.py", WEATHER)
    now = 1000.0
    monkeypatch.setattr(surroundings, "monotonic", lambda: now)
    first = await around.snippets(cursor(), 2000)
    for typed in ("a", "add", "add_invoice(", "forecast(temperature"):
        now += 2
        assert await around.snippets(cursor(MAIN + typed), 2000) == first
    far = cursor(MAIN + "\n" * 40 + "sunny(forecast(city), temperature")
    moved = await around.snippets(far, 2000)
    assert "def forecast" in words(moved)
    now += 4
    assert await around.snippets(cursor(MAIN + "\n" * 40), 2000) != moved, "after a pause"


async def test_what_the_window_has_come_to_hold_is_shown_no_more(around: Surroundings) -> None:
    """Even while the choice holds."""
    show(around, "store.py", STORE)
    assert await around.snippets(cursor(), 2000)
    assert await around.snippets(cursor(suffix="\n" + STORE), 2000) == ()


async def test_what_stays_keeps_its_place_at_the_head(around: Surroundings) -> None:
    show(around, "store.py", STORE)
    first = await around.snippets(cursor(), 3000)
    show(around, "weather.py", WEATHER)
    second = await around.snippets(cursor(MAIN + "\n" * 20 + "InvoiceStore(forecast(city))."), 3000)
    kept = [piece for piece in first if piece in second]
    assert kept
    assert list(second[: len(kept)]) == kept


async def test_secret_excluded_and_ignored_files_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("generated.py\n")
    around = Surroundings(rules=FileRules(["excluded.py"], [tmp_path]))
    lines = STORE.split("\n")
    for name in ("store.env", "excluded.py", "generated.py"):
        around.opened((tmp_path / name).as_uri(), "python", lambda: lines)
    assert await around.snippets(cursor(), 3000) == ()
    await around.close()


async def test_what_must_not_be_shown_takes_nobodys_room() -> None:
    around = Surroundings(rules=FileRules(["store.py"]))
    for name in ("store.py", "other.py"):
        show(around, name, STORE)
    assert {piece.path for piece in await around.snippets(cursor(), 300)} == {"other.py"}
    await around.close()


async def test_other_settings_count_at_once(around: Surroundings) -> None:
    show(around, "store.py", STORE)
    assert await around.snippets(cursor(), 3000)
    around.configure(FileRules(), ())
    assert await around.snippets(cursor(), 3000) == ()


async def test_a_file_that_is_ignored_from_now_on_is_shown_no_more(tmp_path: Path) -> None:
    """Even while the choice holds."""
    rules = FileRules([], [tmp_path])
    around = Surroundings(rules=rules)
    lines = STORE.split("\n")
    around.opened((tmp_path / "store.py").as_uri(), "python", lambda: lines)
    assert await around.snippets(cursor(), 3000)
    (tmp_path / ".gitignore").write_text("store.py\n")
    rules.ignore_files.changed()
    assert await around.snippets(cursor(), 3000) == ()
    await around.close()


async def test_of_a_closed_document_only_where_the_user_was_is_kept_and_not_for_long(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(around, "store.py", STORE + "\n" * 60 + WEATHER)
    await around.snippets(cursor(STORE[: STORE.index("def add_invoice")], name="store.py"), 100)
    around.closed("file:///work/store.py")
    here = cursor(MAIN + "\nforecast(temperature, city)")
    found = words(await around.snippets(here, 3000))
    assert "class InvoiceStore" in found
    assert "def forecast" not in found
    monkeypatch.setattr(open_documents, "_KEPT", -1.0)
    monkeypatch.setattr(surroundings, "_PAUSE", -1.0)
    assert await around.snippets(here, 3000) == ()


@pytest.mark.parametrize(("sources", "finds"), [(("workspace",), True), (("open", "edits"), False)])
async def test_files_that_are_not_open_are_found_through_the_index(
    tmp_path: Path, sources: tuple[str, ...], finds: bool
) -> None:
    files = [(File(name, 0, 0), text) for name, text in (("lib/store.py", STORE), ("weather.py", WEATHER))]
    segment = Segment(build_segment(files))
    around = Surroundings(
        indexed=lambda _: [(tmp_path, Source(segment, [1.0, 1.0]))],
        rules=FileRules([], [tmp_path]),
        sources=sources,
    )
    found = await around.snippets(cursor(), 3000)
    assert ("def add_invoice(self, number, amount, customer)" in words(found)) == finds
    assert {piece.path for piece in found} <= {"lib/store.py"}
    await around.close()


async def test_a_file_of_the_index_that_is_ignored_since_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / ".tabbyignore").write_text("lib/\n")
    segment = Segment(build_segment([(File("lib/store.py", 0, 0), STORE)]))
    around = Surroundings(
        indexed=lambda _: [(tmp_path, Source(segment, [1.0]))], rules=FileRules([], [tmp_path])
    )
    assert await around.snippets(cursor(), 3000) == ()
    await around.close()
