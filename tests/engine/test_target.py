"""How the template is found, and what a backend is asked."""

from __future__ import annotations

import asyncio

import pytest

from tabby_ls.backends.backend import BackendError, ModelInfo, Trouble
from tabby_ls.engine.shaping.mode import Mode
from tabby_ls.engine.target import Target
from tabby_ls.engine.template_choice import find_template
from tabby_ls.settings import BackendSettings, ContextSettings, LocalSettings, Settings
from tests.support.fake_backend import FakeBackend
from tests.support.typist import snapshot_at

NOW = snapshot_at("x = |\n")


class WithTokenizer(FakeBackend):
    """Knows some special tokens."""

    def __init__(self, *known: str) -> None:
        super().__init__([], model=ModelInfo())
        self.known = known

    async def count_tokens(self, text: str) -> int | None:
        return 1 if text in self.known else 7


async def test_the_name_the_user_gives_comes_first() -> None:
    found = await find_template(FakeBackend([]), "codellama", ModelInfo("Qwen2.5-Coder-7B"))
    assert found.family is not None
    assert (found.family.name, found.found_by) == ("codellama", "your setting")


async def test_the_models_name_tells() -> None:
    found = await find_template(FakeBackend([]), "", ModelInfo("Qwen2.5-Coder-7B"))
    assert found.family is not None
    assert (found.family.name, found.caveat) == ("qwen-coder", "")


async def test_the_tokenizer_tells_where_the_name_does_not() -> None:
    backend = WithTokenizer(
        "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|fim_pad|>", "<|repo_name|>"
    )
    found = await find_template(backend, "", ModelInfo("my-finetune"))
    assert found.family is not None
    assert found.found_by == "the model's tokenizer"


async def test_where_nothing_tells_the_model_goes_on_from_the_prefix() -> None:
    target = Target(FakeBackend(["1"], model=ModelInfo("my-model")), Settings())
    await target.prepare()
    assert target.template is not None
    assert target.template.caveat
    infill = target.infill(NOW, Mode.LINE, invoked=False)
    assert (infill.prompt, infill.bos, infill.stop) == ("x = ", None, ())


async def test_a_family_that_does_not_exist_is_refused() -> None:
    settings = Settings(backend=BackendSettings(family="nonsense"))
    with pytest.raises(BackendError) as raised:
        await Target(FakeBackend([], model=ModelInfo("m")), settings).prepare()
    assert raised.value.trouble is Trouble.REFUSED


async def test_the_servers_limit_bounds_the_prompt() -> None:
    long = snapshot_at("x = 1\n" * 5000 + "|" + "y = 2\n" * 5000)
    lengths = []
    for limit in (None, 512):
        target = Target(FakeBackend([], model=ModelInfo("Qwen2.5-Coder-7B", limit)), Settings())
        await target.prepare()
        lengths.append(len(target.infill(long, Mode.LINE, invoked=False).prompt or ""))
    assert lengths[1] < lengths[0] < 3 * 2048 + 100
    assert lengths[1] < 3 * 512


async def test_a_shrunk_prompt_stays_short_until_the_server_is_learned_anew() -> None:
    long = snapshot_at("x = 1\n" * 5000 + "|")
    target = Target(FakeBackend([], model=ModelInfo("Qwen2.5-Coder-7B")), Settings())
    await target.prepare()

    def length() -> int:
        return len(target.infill(long, Mode.LINE, invoked=False).prompt or "")

    whole = length()
    shrinks = [target.adapt(BackendError(Trouble.PROMPT_TOO_LONG, "too long")) for _ in range(6)]
    assert shrinks == [True] * 4 + [False] * 2
    assert length() < whole / 8
    target.forget()
    await target.prepare()
    assert length() == whole


async def test_a_server_that_fills_in_gets_prefix_and_suffix_and_no_prompt() -> None:
    target = Target(FakeBackend([], model=ModelInfo("Qwen2.5-Coder-7B"), fills_in=True), Settings())
    await target.prepare()
    infill = target.infill(snapshot_at("x = '<|fim_middle|>' + |\n"), Mode.LINE, invoked=False)
    assert (infill.prompt, infill.prefix, infill.suffix) == (None, "x = '< |fim_middle|>' + ", "\n")
    assert "<|endoftext|>" in infill.stop


async def test_a_model_that_was_not_trained_to_fill_in_may_still_be_served_so() -> None:
    """Ollama says of each model whether it inserts; a name says less."""
    backend = FakeBackend([], model=ModelInfo("granite3.3:8b"), fills_in=True)
    found = await find_template(backend, "", backend.served)
    assert (found.family, found.fills_in, found.caveat) == (None, True, "")


async def test_a_server_whose_model_changed_is_learned_anew_and_asked_again_once() -> None:
    backend = FakeBackend([], model=ModelInfo("Qwen2.5-Coder-7B"), fills_in=True)
    target = Target(backend, Settings())
    await target.prepare()
    changed = BackendError(Trouble.CHANGED, "it does not insert")
    assert target.adapt(changed)
    backend.can_fill_in = False
    await target.prepare()
    assert target.infill(NOW, Mode.LINE, invoked=False).prompt is not None
    assert not target.adapt(changed)


async def test_several_requests_learn_together() -> None:
    backend = FakeBackend([], model=ModelInfo("Qwen2.5-Coder-7B"))
    target = Target(backend, Settings())
    await asyncio.gather(target.prepare(), target.prepare())
    assert backend.models_asked == 1


async def test_the_users_limits_go_into_what_is_asked() -> None:
    settings = Settings(
        max_tokens=7,
        temperature=0.5,
        context=ContextSettings(max_prompt_tokens=128),
        local=LocalSettings(threshold=0.9, invoked_threshold=0.1),
    )
    target = Target(FakeBackend([]), settings)
    automatic = target.infill(NOW, Mode.LINE, invoked=False)
    invoked = target.infill(NOW, Mode.BLOCK, invoked=True)
    assert (automatic.max_tokens, automatic.temperature, automatic.threshold) == (7, 0.5, 0.9)
    assert (automatic.max_lines, invoked.max_lines, invoked.threshold) == (1, 3, 0.1)


async def test_an_instant_backend_gets_everything_and_is_asked_nothing() -> None:
    backend = FakeBackend([], is_instant=True)
    target = Target(backend, Settings())
    await target.prepare()
    infill = target.infill(NOW, Mode.LINE, invoked=False)
    assert (infill.prompt, infill.prefix, infill.suffix) == (None, NOW.prefix, NOW.suffix)
    assert backend.models_asked == 0


async def test_no_room_for_the_text_is_said_and_nothing_is_sent() -> None:
    """A server whose cache is no larger than its chunks tells a limit of one token."""
    target = Target(FakeBackend([], model=ModelInfo("Qwen2.5-Coder-7B", 1)), Settings())
    await target.prepare()
    with pytest.raises(BackendError) as raised:
        target.infill(NOW, Mode.ONE_LINE, invoked=False)
    assert raised.value.trouble is Trouble.PROMPT_TOO_LONG
    assert "1 tokens" in raised.value.message


async def test_the_tokenizer_is_asked_once_a_model_how_long_its_tokens_are() -> None:
    counted: list[str] = []

    class Counting(FakeBackend):
        async def count_tokens(self, text: str) -> int | None:
            counted.append(text)
            return len(text) // 4

    long = snapshot_at("x = 1\n" * 5000 + "|")
    plain = Target(FakeBackend([], model=ModelInfo("Qwen2.5-Coder-7B")), Settings())
    target = Target(Counting([], model=ModelInfo("Qwen2.5-Coder-7B")), Settings())
    for _ in range(2):
        await target.prepare()
        target.forget()
    assert len(counted) == 1
    await plain.prepare()
    longer, shorter = (len(it.infill(long, Mode.ONE_LINE, invoked=False).prefix) for it in (target, plain))
    assert longer == pytest.approx(shorter * 4 / 3, rel=0.05)


async def test_what_the_server_counts_corrects_it() -> None:
    long = snapshot_at("x = 1\n" * 5000 + "|")
    target = Target(FakeBackend([], model=ModelInfo("Qwen2.5-Coder-7B")), Settings())
    await target.prepare()
    before = target.infill(long, Mode.ONE_LINE, invoked=False)
    assert before.prompt is not None
    target.counted(before, len(before.prompt) // 2)
    assert len(target.infill(long, Mode.ONE_LINE, invoked=False).prefix) < len(before.prefix)
