"""Server-sent events: the same payloads from the same bytes, however they arrive."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.completions.lines import LineTooLongError
from tabby_ls.completions.sse import SSEParser
from tests.support.replay import RECORDINGS, Recording

STREAMS = [recording for recording in RECORDINGS.values() if recording.is_stream]


def parse(*pieces: bytes) -> list[bytes]:
    parser = SSEParser()
    return [payload for piece in pieces for payload in parser.feed(piece)] + parser.close()


@pytest.mark.parametrize(
    ("stream", "payloads"),
    [
        (b"data: a\n\n", [b"a"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a\n\n", [b" a"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b": ping\r\n\r\ndata: a\r\n\r\n", [b"a"]),
        (b"event: x\nid: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"data: a\ndata: b\n\n", [b"a", b"b"]),
        (b"data: \xe2\x80\xa8\xc2\x85\x0b\x0c\n\n", [b"\xe2\x80\xa8\xc2\x85\x0b\x0c"]),
        (b"data: a\rb\n\n", [b"a\rb"]),
        (b"data: [DONE]", [b"[DONE]"]),
        (b"data:\n\n", [b""]),
        (b"data", []),
        (b"\n\n\n", []),
        (b"", []),
    ],
)
def test_data_lines_come_out(stream: bytes, payloads: list[bytes]) -> None:
    assert parse(stream) == payloads
    assert parse(*(bytes([byte]) for byte in stream)) == payloads


@pytest.mark.parametrize("recording", STREAMS, ids=lambda recording: recording.name)
def test_a_recorded_stream_gives_the_same_byte_by_byte(recording: Recording) -> None:
    payloads = parse(recording.body)
    assert payloads == parse(*(bytes([byte]) for byte in recording.body))
    assert len(payloads) == recording.response.count(b"\ndata: ")
    assert all(payload == b"[DONE]" or json.loads(payload) for payload in payloads)


@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 5000), max_size=20))
def test_a_recorded_stream_gives_the_same_however_it_is_cut(recording: Recording, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(recording.body)) for cut in cuts), len(recording.body)]
    pieces = [recording.body[a:b] for a, b in itertools.pairwise(edges)]
    assert parse(*pieces) == parse(recording.body)


@pytest.mark.parametrize("pieces", [[b"x" * 101], [b"data: "] * 20, [b"y" * 101 + b"\n"]])
def test_a_line_without_end_does_not_fill_the_memory(pieces: list[bytes]) -> None:
    parser = SSEParser(max_line=100)

    def feed() -> None:
        for piece in pieces:
            parser.feed(piece)

    with pytest.raises(LineTooLongError):
        feed()


def test_the_limit_is_for_a_line_and_not_for_the_stream() -> None:
    parser = SSEParser(max_line=100)
    assert len(parser.feed(b"data: 0123456789\n" * 1000)) == 1000
