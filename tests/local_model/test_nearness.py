"""A file counts more the nearer its folder is to the document's."""

from __future__ import annotations

from tabby_ls.local_model.nearness import weights


def test_the_same_folder_counts_most_then_those_next_to_it_then_all_others() -> None:
    names = ["lib/a.py", "b.py", "lib/sub/c.py", "other/d.py", "lib/sub/sub/e.py"]
    same, above, below, *others = weights(names, "lib")
    assert same > above == below > others[0] == others[1] > 0


def test_what_is_left_out_counts_nothing() -> None:
    assert [bool(weight) for weight in weights(["a.py", "b.py"], ".", frozenset({"b.py"}))] == [True, False]
