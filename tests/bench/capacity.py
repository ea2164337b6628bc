"""How many users one engine carries: `docs/serving-a-team.md` explains the model.

    python -m tests.bench.capacity --requests-per-minute R --prompt-tokens P --answer-tokens T \\
        --prefill TOKENS/S --decode TOKENS/S --at-once C

A request is a customer of an M/M/c queue: served for so many seconds, by one of so many places. Whether it has to
wait is Erlang's C formula (A. K. Erlang, 1917).
"""

from __future__ import annotations

import argparse

from attrs import frozen

#: The share of requests that may have to wait for a place.
WAITING = 0.05


@frozen
class Load:
    """What users ask and what the engine can do; times in seconds, lengths in tokens."""

    requests_per_second: float
    prompt_tokens: float
    answer_tokens: float
    prefill: float
    decode: float
    at_once: int

    @property
    def service(self) -> float:
        """How long one request is served."""
        return self.prompt_tokens / self.prefill + self.answer_tokens / self.decode

    def offered(self, users: int) -> float:
        """How many requests would be served at a time if none had to wait."""
        return users * self.requests_per_second * self.service

    def users(self, waiting: float = WAITING) -> int:
        """How many users there may be so that at most such a share of requests waits."""
        users = 0
        while must_wait(self.offered(users + 1), self.at_once) <= waiting:
            users += 1
        return users

    def wait(self, users: int) -> float:
        """How long a request waits that has to, on average."""
        return self.service / (self.at_once - self.offered(users))


def must_wait(offered: float, places: int) -> float:
    """Return the probability that all places are taken; 1 where the queue grows without end."""
    if offered >= places:
        return 1.0
    blocked = 1.0  # Erlang's B formula, by its recurrence
    for place in range(1, places + 1):
        blocked = offered * blocked / (place + offered * blocked)
    return blocked / (1 - offered / places * (1 - blocked))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How many users one engine carries.")
    parser.add_argument("--requests-per-minute", type=float, required=True, help="of one user who types")
    parser.add_argument(
        "--prompt-tokens", type=float, required=True, help="of them not in the engine's cache"
    )
    parser.add_argument("--answer-tokens", type=float, required=True, help="until it ends or is left")
    parser.add_argument("--prefill", type=float, required=True, help="tokens a second")
    parser.add_argument(
        "--decode", type=float, required=True, help="tokens a second of one stream, in a full batch"
    )
    parser.add_argument("--at-once", type=int, required=True, help="streams in a full batch")
    options = parser.parse_args()
    load = Load(
        options.requests_per_minute / 60,
        options.prompt_tokens,
        options.answer_tokens,
        options.prefill,
        options.decode,
        options.at_once,
    )
    users = load.users()
    print(f"one request is served for {load.service * 1000:.0f} ms")
    print(f"{users} users who type at the same time: {WAITING:.0%} of requests wait")
    for more in (users, users * 5 // 4, users * 3 // 2):
        waits = must_wait(load.offered(more), load.at_once)
        if waits < 1:
            print(f"  {more:4} users: {waits:4.0%} wait, {load.wait(more) * 1000:.0f} ms on average")
        else:
            print(f"  {more:4} users: more than it can serve")


if __name__ == "__main__":
    main()
