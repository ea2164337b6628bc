"""Messages cut out of a byte stream, whatever arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabby_ls.server import framing
from tabby_ls.server.framing import Unframer, frame

bodies = st.lists(st.binary(min_size=1, max_size=60), max_size=6)


def cut(*chunks: bytes) -> list[bytes]:
    unframer = Unframer()
    return [body for chunk in chunks for body in unframer.feed(chunk)]


@given(bodies, st.integers(1, 50))
def test_bodies_arrive_whole_in_whatever_pieces_the_stream_comes(sent, size):
    stream = b"".join(map(frame, sent))
    assert cut(*(stream[at : at + size] for at in range(0, len(stream), size))) == sent


def test_the_length_counts_bytes():
    assert frame("é😀".encode()) == b"Content-Length: 6\r\n\r\n" + "é😀".encode()


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: 2\r\n\r\n",
        b"CONTENT-LENGTH:2\r\n\r\n",
        b"Content-Length: 9\r\nContent-Length: 2\r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf8\r\n\r\n",
        b"Content-Length: 2\n\n",
        b"\r\n\r\nContent-Length: 2\r\n\r\n",
        b"a line some script printed\nContent-Length: 2\r\n\r\n",
    ],
)
def test_header_fields_come_in_any_form(header):
    assert cut(header + b"{}" + header + b"[]") == [b"{}", b"[]"]


@pytest.mark.parametrize(
    "broken",
    [
        b"Content-Length: many\r\n\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Type: text/plain\r\n\r\n",
        b"Content-Length: 999999999999999999999999\r\n\r\n",
        b"Content-Length: 0\r\n\r\n",
        b"\x00\xff\r\n\r\n",
    ],
)
def test_a_header_without_a_length_is_an_empty_body_and_the_next_message_arrives(broken):
    assert cut(broken + frame(b"{}")) == [b"", b"{}"]


def test_after_a_length_that_was_too_small_the_next_message_is_found():
    assert cut(b'Content-Length: 3\r\n\r\n{"a": 1}' + frame(b"{}")) == [b'{"a', b"{}"]


@pytest.mark.parametrize("length", range(3, 60))
def test_after_a_length_that_was_too_large_a_later_message_is_found(length):
    stream = b"Content-Length: %d\r\n\r\n{}" % length + frame(b'{"eaten": true}') * 3 + frame(b"{}")
    assert cut(stream)[-1] == b"{}"


def test_a_stream_without_headers_does_not_pile_up():
    unframer = Unframer()
    for _ in range(100):
        assert all(body == b"" for body in unframer.feed(b"x" * 4096))
    assert len(unframer._buffer) <= 2 * framing.MAX_HEADER
    assert list(unframer.feed(b"\n" + frame(b"{}")))[-1] == b"{}"
