"""The family of a model is found by its name, however that is written, or by the tokens it knows."""

from __future__ import annotations

import re

import pytest

from tabby_ls.prompts.families import (
    Family,
    families,
    family_for_model,
    family_named,
    guess_from_tokens,
    probe_tokens,
)


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("Qwen/Qwen2.5-Coder-7B", "qwen-coder"),
        ("qwen2.5-coder:1.5b-base-q4_K_M", "qwen-coder"),
        ("Qwen3-Coder-30B-A3B-Instruct-exl3-4.0bpw", "qwen-coder"),
        ("Qwen3-Coder-Next", "qwen-coder"),
        ("Qwen2.5-7B-Instruct", "qwen-general"),
        ("DeepSeek-R1-Distill-Qwen-7B", "qwen-general"),
        ("CodeQwen1.5-7B", "codeqwen"),
        ("codestral-latest", "codestral"),
        ("Codestral-22B-v0.1-hf.Q4_K_M.gguf", "codestral"),
        ("mamba-codestral-7B-v0.1", "mamba-codestral"),
        ("Devstral-Small-2507", "devstral"),
        ("bigcode/starcoder2-7b", "starcoder2"),
        ("starcoder2:3b", "starcoder2"),
        ("starcoder", "starcoder1"),
        ("starcoder-2.4bpw-h6-exl2", "starcoder1"),  # not StarCoder 2
        ("starcoder-2bit", "starcoder1"),
        ("starcoderplus-GPTQ", "starcoder1"),
        ("santacoder", "santacoder"),
        ("CodeLlama-7b-hf", "codellama"),
        ("codellama:13b-instruct", "codellama"),
        ("CodeLlama-34B-AWQ", "codellama-nofim"),
        ("codellama:7b-python", "codellama-nofim"),
        ("deepseek-ai/deepseek-coder-6.7b-base", "deepseek"),
        ("DeepSeek-Coder-V2-Lite-Base", "deepseek"),
        ("deepseek-r1:70b", "deepseek-nofim"),
        ("google/codegemma-2b", "codegemma"),
        ("codegemma-7b-it-Q8_0.gguf", "codegemma-it"),
        ("codegemma:7b-instruct", "codegemma-it"),
        ("granite-8b-code-base-128k", "granite-code"),
        ("ibm-granite/granite-4.0-h-tiny", "granite4"),
        ("granite3.3:8b", "granite3"),
        ("stable-code-3b", "stable-code"),
        ("ByteDance-Seed/Seed-Coder-8B-Base", "seed-coder"),
        ("JetBrains/Mellum-4b-base", "mellum"),
        ("Mellum2-12B-A2.5B-Base.Q4_K_M.gguf", "mellum"),
        ("JetBrains/Mellum2-12B-A2.5B-Thinking", "mellum-thinking"),
        ("Refact-1_6B-fim", "refact"),
        ("aixcoder-7b-base", "aixcoder"),
        ("Yi-Coder-9B", "yi-coder"),
        ("codegeex4-all-9b", "codegeex"),
        ("GLM-4.5-Air", "glm4.5"),
        # as servers and their users write names
        ("hf.co/bartowski/Codestral-22B-v0.1-GGUF:Q4_K_M", "codestral"),
        ("codestral-2508", "codestral"),
        ("C:\\models\\starcoder2-3b.Q8_0.gguf", "starcoder2"),
        ("second-state/StarCoder2-15B-GGUF/starcoder2-15b-Q5_K_M-00001-of-00002.gguf", "starcoder2"),
        (
            "/root/.cache/huggingface/hub/models--bigcode--starcoder2-3b/snapshots/733247c55e3f73af49ce",
            "starcoder2",
        ),
        ("models--Qwen--Qwen2.5-Coder-7B", "qwen-coder"),
        ("/models/Qwen2.5-Coder-7B/ggml-model-q4_0.gguf", "qwen-coder"),
        ("/data/codellama-7b/model.safetensors", "codellama"),
        ("unsloth/Qwen2.5-Coder-1.5B-bnb-4bit", "qwen-coder"),
        ("Qwen_Qwen2.5-Coder-32B-Instruct-GPTQ-Int4", "qwen-coder"),
        ("accounts/fireworks/models/qwen2p5-coder-7b", "qwen-coder"),
        ("ggml-org/Qwen2.5-Coder-1.5B-Q8_0-GGUF:latest", "qwen-coder"),
        ("qwen3-coder:480b-cloud", "qwen-coder"),
        ("mlx-community/DeepSeek-Coder-V2-Lite-Instruct-4bit-mlx", "deepseek"),
        ("TheBloke/deepseek-coder-6.7B-base-AWQ", "deepseek"),
        ("deepseek-chat", "deepseek"),
        ("granite-code:3b-base-q8_0", "granite-code"),
        ("granite4:micro-h", "granite4"),
        ("JetBrains/Mellum-4b-sft-python-gguf", "mellum"),
        ("unsloth/Seed-Coder-8B-Base-GGUF", "seed-coder"),
        ("my-finetune-of-Qwen2.5-Coder", "qwen-coder"),
        ("zed-industries/zeta-2", "zeta2"),
        ("zeta", "zeta1"),
        ("zeta-2.5bpw", "zeta1"),  # not Zeta 2
        ("mercury-coder-small", "mercury"),
    ],
)
def test_a_models_id_tells_its_family(model_id: str, name: str) -> None:
    family = family_for_model(model_id)
    assert family is not None
    assert family.name == name


@pytest.mark.parametrize(
    "model_id",
    [
        "/srv/models/Qwen2.5-Coder-7B",
        "/srv/models/Qwen2.5-Coder-7B/",
        r"C:\models\qwen2.5-coder-7b-instruct-q4_k_m-00001-of-00002.gguf",
        "/srv/models/Qwen2.5-Coder-7B/4.0bpw",
        "/srv/models/Qwen2.5-Coder-7B/Q4_K_M",
        "/srv/models/Qwen2.5-Coder-7B/i1-Q4_K_M.gguf",
        "/srv/models/Qwen2.5-Coder-7B/bf16.gguf",
        "/srv/models/Qwen2.5-Coder-7B/base/w4a16",
        "/srv/Qwen2.5-Coder-7B/models/weights",
        "hf.co/Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:Q4_K_M",
        "QWEN2.5_CODER:latest",
    ],
)
def test_publisher_path_format_and_quantisation_do_not_matter(model_id: str) -> None:
    assert family_for_model(model_id) is family_named("qwen-coder")


@pytest.mark.parametrize(
    "model_id",
    [
        "",
        "/",
        "gpt-4o",
        "my-model",
        "codestral-models/llama-3",
        "models--codestral--llama-3",
        "refactorer-7b",
    ],
)
def test_an_unknown_model_has_no_family(model_id: str) -> None:
    assert family_for_model(model_id) is None


def test_the_user_may_name_a_family() -> None:
    assert family_named(" Qwen_Coder ").name == "qwen-coder"


def test_a_name_slightly_wrong_is_corrected() -> None:
    with pytest.raises(ValueError, match=r"Did you mean 'starcoder2'\?.*codestral.*qwen-coder"):
        family_named("starcoder-2")


def test_a_family_that_cannot_be_asked_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match=r"qwen-general.*only the Coder models"):
        family_named("qwen-general")


@pytest.mark.parametrize(
    ("present", "name"),
    [
        ({"<|fim_middle|>", "<|file_sep|>"}, "qwen-coder"),
        ({"<|fim_middle|>", "<|file_separator|>"}, "codegemma"),
        ({"<|fim_middle|>"}, "granite4"),
        ({"<fim_middle>", "<file_sep>"}, "starcoder2"),
        ({"<fim_middle>", "<filename>"}, "stable-code"),
        ({"<｜fim▁hole｜>"}, "deepseek"),
        ({"[SUFFIX]"}, "codestral"),
        ({"<[fim-middle]>", "</s>"}, "seed-coder"),
    ],
)
def test_a_tokenizer_suggests_a_family_with_a_caveat(present: set[str], name: str) -> None:
    guess = guess_from_tokens(present)
    assert guess is not None
    assert guess.family.name == name
    assert guess.caveat


def test_a_tokenizer_without_such_tokens_suggests_nothing() -> None:
    assert guess_from_tokens({"</s>", "<|file_sep|>"}) is None


def test_every_probed_family_can_be_guessed_and_used() -> None:
    for token in probe_tokens():
        guess = guess_from_tokens({token})
        assert guess is None or guess.family.fim
    assert {"<|fim_middle|>", "<fim_middle>", "<|file_sep|>"} <= set(probe_tokens())
    assert len(set(probe_tokens())) == len(probe_tokens())


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_the_tables_entries_are_sound(family: Family) -> None:
    re.compile(family.pattern)
    assert [other.name for other in families()].count(family.name) == 1
    assert family.source
    assert family.fim == (not family.why)
    assert (family.file is None) == (family.with_files is None)
    if family.template is None:
        return
    known = {"prefix", "suffix", "path", "language", "comment_start", "comment_end"}
    assert set(family.template.places) <= known
    assert sorted(place for place in family.template.places if place in {"prefix", "suffix"}) == [
        "prefix",
        "suffix",
    ]
    assert family.tokens
    if family.file and family.with_files:
        assert set(family.file.places) <= {"path", "text"}
        assert set(family.with_files.places) <= known | {"files"}
        assert family.with_files.places.count("files") == 1
