"""Writes a tiny llama model with random weights (340 kB), which a real Ollama loads and generates from.

GGUF, version 3: a header, key-value pairs, a table of the tensors, and their data at 32-byte borders; all
little-endian. Written by hand: the library for it would bring numpy to the development environment.
"""

from __future__ import annotations

import array
import random
import struct
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY, WIDTH, HEADS, FORWARD, CONTEXT = 320, 64, 4, 128, 512
BORDER = 32
FLOATS = 0  # a tensor's kind: 32-bit floats
UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
SPECIAL = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
WORDS = [f"\u2581{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(VOCABULARY - len(SPECIAL))]


def write_model(path: Path) -> None:
    """Write the model. Greedy sampling gives plain words for ever: all other tokens score nothing."""
    pairs, tensors = _pairs(), _tensors()
    ends = [0]
    for _, _, data in tensors:
        ends.append(ends[-1] + _padded(len(data)))
    out = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)))
    for key, value in pairs:
        out += _string(key) + value
    for (name, shape, _), offset in zip(tensors, ends, strict=False):
        out += _string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, FLOATS, offset)
    out += bytes(_padded(len(out)) - len(out))
    for (_, _, data), (start, end) in zip(tensors, pairwise(ends), strict=True):
        out += data + bytes(end - start - len(data))
    path.write_bytes(out)


def _pairs() -> list[tuple[str, bytes]]:
    kinds = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256 + [NORMAL] * len(WORDS)
    return [
        ("general.architecture", _text("llama")),
        ("general.name", _text("tiny")),
        ("general.file_type", _number(0)),
        ("llama.block_count", _number(1)),
        ("llama.context_length", _number(CONTEXT)),
        ("llama.embedding_length", _number(WIDTH)),
        ("llama.feed_forward_length", _number(FORWARD)),
        ("llama.attention.head_count", _number(HEADS)),
        ("llama.attention.head_count_kv", _number(HEADS)),
        ("llama.attention.layer_norm_rms_epsilon", struct.pack("<If", FLOAT32, 1e-5)),
        ("llama.rope.dimension_count", _number(WIDTH // HEADS)),
        ("llama.vocab_size", _number(VOCABULARY)),
        ("tokenizer.ggml.model", _text("llama")),
        ("tokenizer.ggml.tokens", _array(STRING, [_string(token) for token in SPECIAL + WORDS])),
        ("tokenizer.ggml.scores", _array(FLOAT32, [struct.pack("<f", 0.0)] * VOCABULARY)),
        ("tokenizer.ggml.token_type", _array(INT32, [struct.pack("<i", kind) for kind in kinds])),
        ("tokenizer.ggml.unknown_token_id", _number(0)),
        ("tokenizer.ggml.bos_token_id", _number(1)),
        ("tokenizer.ggml.eos_token_id", _number(2)),
    ]


def _tensors() -> list[tuple[str, tuple[int, ...], bytes]]:
    """Return each tensor's name, its shape (the innermost dimension first) and its data."""
    chance = random.Random(0)

    def noise(inner: int, outer: int) -> tuple[tuple[int, ...], bytes]:
        return (inner, outer), _floats([chance.gauss(0, 0.05) for _ in range(inner * outer)])

    ones = (WIDTH,), _floats([1.0] * WIDTH)
    words = _floats([chance.gauss(0, 0.05) for _ in range(WIDTH * len(WORDS))])
    tensors = {
        "token_embd.weight": noise(WIDTH, VOCABULARY),
        "output_norm.weight": ones,
        "output.weight": ((WIDTH, VOCABULARY), bytes(4 * WIDTH * len(SPECIAL)) + words),
        "blk.0.attn_norm.weight": ones,
        "blk.0.attn_q.weight": noise(WIDTH, WIDTH),
        "blk.0.attn_k.weight": noise(WIDTH, WIDTH),
        "blk.0.attn_v.weight": noise(WIDTH, WIDTH),
        "blk.0.attn_output.weight": noise(WIDTH, WIDTH),
        "blk.0.ffn_norm.weight": ones,
        "blk.0.ffn_gate.weight": noise(WIDTH, FORWARD),
        "blk.0.ffn_up.weight": noise(WIDTH, FORWARD),
        "blk.0.ffn_down.weight": noise(FORWARD, WIDTH),
    }
    return [(name, shape, data) for name, (shape, data) in tensors.items()]


def _floats(values: list[float]) -> bytes:
    numbers = array.array("f", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _text(text: str) -> bytes:
    return struct.pack("<I", STRING) + _string(text)


def _number(number: int) -> bytes:
    return struct.pack("<II", UINT32, number)


def _array(kind: int, items: list[bytes]) -> bytes:
    return struct.pack("<IIQ", ARRAY, kind, len(items)) + b"".join(items)


def _padded(length: int) -> int:
    return -(-length // BORDER) * BORDER
