"""Orders the positions of a token sequence by what stands before them: a suffix array read backwards.

All places where a context occurs are then one range of the order, at every depth; see `segment.py` for the search.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

#: Tokens of context that are told apart. Two places that agree on more stay in the order of the text.
DEPTH = 20


#: What a bucket that was taken is replaced by, so that its memory is free.
_DONE: list[int] = []


def order_by_context(tokens: array[int], size: int) -> array[int]:
    """Return all positions from DEPTH on, sorted by the tokens before them, the nearest first.

    `tokens` are numbers below `size`, and start with DEPTH separators. Pure Python at about 0.15 s for 300 000
    tokens: one bucket a token, and only those of its positions are sorted before which the numbers do not rise.
    The others are behind positions of an earlier bucket and take their order from there (Itoh and Tanaka's
    two-stage construction). Contexts are slices of one Latin-1 string, which compare as fast as memory does.
    """
    backwards = array("I", reversed(tokens))
    if sys.byteorder == "little":
        backwards.byteswap()
    contexts = backwards.tobytes().decode("latin-1")
    end, depth = len(contexts), 4 * DEPTH

    def context(position: int) -> str:
        start = end - 4 * position
        return contexts[start : start + depth]

    to_sort: list[list[int]] = [[] for _ in range(size)]
    former = tokens[DEPTH - 2]
    for position, token in enumerate(tokens[DEPTH - 1 : -1], DEPTH):
        if token <= former:
            to_sort[token].append(position)
        former = token
    to_take: list[list[int]] = [[] for _ in range(size)]
    order = array("I")
    # The last token is in no context, and no position follows it.
    following = tokens[:-1]
    following.append(0)
    for number, bucket in enumerate(to_sort):
        if len(bucket) > 1:
            bucket.sort(key=context)
        bucket = to_take[number] + bucket
        order.extend(bucket)
        for position, token in zip(bucket, map(following.__getitem__, bucket), strict=True):
            if token > number:
                to_take[token].append(position + 1)
        to_sort[number] = to_take[number] = _DONE
    return order


def narrow(
    order: memoryview[int], tokens: Sequence[int], low: int, high: int, depth: int, token: int
) -> tuple[int, int]:
    """Return the part of the range `low:high` of `order` whose token `depth` places back is `token`.

    All of the range must agree on the tokens nearer than that.
    """
    first, last = low, high
    while first < last:
        middle = (first + last) // 2
        if tokens[order[middle] - depth] < token:
            first = middle + 1
        else:
            last = middle
    low, last = first, high
    while first < last:
        middle = (first + last) // 2
        if tokens[order[middle] - depth] <= token:
            first = middle + 1
        else:
            last = middle
    return low, first
