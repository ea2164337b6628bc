"""A model of noise for a real llama-server: random weights, Qwen's special tokens, printable output.

What it writes is worth nothing; how the server streams, cancels, counts and refuses is the same as with a good one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np

SPECIALS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)
_ROLES = {
    "pre": "<|fim_prefix|>",
    "suf": "<|fim_suffix|>",
    "mid": "<|fim_middle|>",
    "pad": "<|fim_pad|>",
    "rep": "<|repo_name|>",
    "sep": "<|file_sep|>",
}
#: Pairs that are one token, so that the tokenizer has something to merge.
_MERGES = ((" ", " "), ("  ", "  "), ("d", "e"), ("de", "f"), ("i", "n"), ("r", "e"))
_HEADS, _KV_HEADS = 4, 2


def write_tiny_model(
    path: Path, *, width: int = 64, layers: int = 2, context: int = 4096, fills_in: bool = True
) -> None:
    """Write a GGUF file. `width` 64 with 2 `layers` is 0.4 MB; 512 with 8 is slow enough to be cancelled in time.

    Without `fills_in` it has no special tokens for filling in the middle.
    """
    letters = _byte_letters()
    tokens = [letters[byte] for byte in range(256)]
    merges = []
    for left, right in _MERGES:
        left, right = ("".join(letters[byte] for byte in part.encode()) for part in (left, right))
        merges.append(f"{left} {right}")
        tokens.append(left + right)
    plain = len(tokens)
    specials = SPECIALS if fills_in else SPECIALS[:3]
    ids = {token: plain + number for number, token in enumerate(specials)}
    tokens += specials

    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_name("noise")
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * width)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_KV_HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.NORMAL] * plain + [gguf.TokenType.CONTROL] * len(specials)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    for add in (writer.add_eos_token_id, writer.add_pad_token_id, writer.add_bos_token_id):
        add(ids["<|endoftext|>"])
    writer.add_add_bos_token(False)
    for role, token in _ROLES.items() if fills_in else ():
        writer.add_uint32(f"tokenizer.ggml.fim_{role}_token_id", ids[token])
    template = "{% for m in messages %}<|im_start|>{{m.role}}\n{{m.content}}<|im_end|>\n{% endfor %}"
    writer.add_chat_template(template + "<|im_start|>assistant\n")
    for name, tensor in _weights(width, layers, plain, len(tokens)).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _weights(width: int, layers: int, plain: int, vocabulary: int) -> dict[str, Any]:
    random = np.random.default_rng(7)

    def noise(*shape: int, scale: float | None = None) -> Any:
        return (random.standard_normal(shape) * (scale or shape[-1] ** -0.5)).astype(np.float32)

    ones, inner, kv = np.ones(width, np.float32), 2 * width, width // _HEADS * _KV_HEADS
    # Only printable ASCII, line ends and the merged tokens can be written.
    bias = np.full(vocabulary, -60.0, np.float32)
    bias[32:127] = 0.0
    bias[10] = 1.0
    bias[256:plain] = 0.5
    weights = {
        "token_embd.weight": noise(vocabulary, width, scale=1.0),
        "output_norm.weight": ones,
        "output.weight": noise(vocabulary, width, scale=0.25),
        "output.bias": bias,
    }
    for layer in range(layers):
        weights |= {
            f"blk.{layer}.{name}": tensor
            for name, tensor in {
                "attn_norm.weight": ones,
                "ffn_norm.weight": ones,
                "attn_q.weight": noise(width, width),
                "attn_q.bias": np.zeros(width, np.float32),
                "attn_k.weight": noise(kv, width),
                "attn_k.bias": np.zeros(kv, np.float32),
                "attn_v.weight": noise(kv, width),
                "attn_v.bias": np.zeros(kv, np.float32),
                "attn_output.weight": noise(width, width),
                "ffn_gate.weight": noise(inner, width),
                "ffn_up.weight": noise(inner, width),
                "ffn_down.weight": noise(width, inner),
            }.items()
        }
    return weights


def _byte_letters() -> dict[int, str]:
    """The printable letter that stands for each byte in the vocabulary, after GPT-2's tokenizer."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
