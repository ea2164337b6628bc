"""What lines define and import, and what is shown of a definition: in any language that looks alike."""

from __future__ import annotations

import pytest

from tabby_ls.context.definitions import definitions, imports, outline


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("def compute(x):", "compute"),
        ("    async def fetch(self):", "fetch"),
        ("class Store(Base):", "Store"),
        ("export default class App {", "App"),
        ("pub(crate) fn run() {", "run"),
        ("macro_rules! check {", "check"),
        ("func (s *Store) Add(n int) {", "Add"),
        ("  def self.load(path)", "load"),
        ("  public static final interface Shape {", "Shape"),
        ("#define LIMIT 10", "LIMIT"),
        ("LIMIT = 10", "LIMIT"),
        ("limit: int = 10", "limit"),
    ],
)
def test_a_line_defines_a_name(line: str, name: str) -> None:
    assert list(definitions(["", line])) == [(name, 1)]


@pytest.mark.parametrize(
    "line", ["    limit = 10", "limit == 10", "return compute(x)", "default(x)", "# def"]
)
def test_other_lines_define_nothing(line: str) -> None:
    assert list(definitions([line])) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from store import Invoice, Customer", "store Invoice Customer"),
        ("from store import (\n    Invoice,\n    Customer,\n)\nother = 1", "store Invoice Customer"),
        ("import { useState } from 'react'", "useState react"),
        ("import {\n  useState,\n} from 'react';\nother()", "useState react"),
        ("const lodash = require('lodash')", "lodash"),
        ("use std::collections::HashMap;", "std collections HashMap"),
        ("using System.Text;", "System Text"),
        ("#include <stdio.h>", "stdio"),
        ("important = useful(1)  # from here", ""),
    ],
)
def test_imports_are_the_names_in_import_statements(text: str, names: str) -> None:
    assert imports("first = 1\n" + text) == set(names.split())


CLASS = '''
class Store(Base):
    """Keeps invoices."""

    folder = "."

    def add(self, number):
        def write(line):
            line.write(number)

        write(self.folder)

    def all(self):
        return [
        ]

def other():
    pass
'''


def test_of_a_class_the_heads_of_its_members_are_shown() -> None:
    assert outline(CLASS.split("\n"), 1) == [
        "class Store(Base):",
        '    """Keeps invoices."""',
        '    folder = "."',
        "    def add(self, number):",
        "    def all(self):",
    ]


def test_of_a_function_its_beginning_is_shown_with_the_bracket_that_closes_it() -> None:
    lines = ["function half(n) {", "  return n / 2;", "}", "half(2);"]
    assert outline(lines, 0) == lines[:3]
    assert len(outline(["def f():", *["    x()"] * 100], 0)) == 16
