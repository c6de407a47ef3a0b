"""Bounds of what is asked of servers about their models, pulled and measured, each with its reason; see bounds.py."""

from typing import Final

# --- Models ------------------------------------------------------------------------------------------

INVENTORY_PATIENCE: Final = 3.0
"""For what servers say of their models, in seconds, where no daemon has asked before: a person waits for it."""

LIST_RATE: Final = 4096.0
"""Bytes a second that the list of models may cost on the average: 300 models are 120 kB, and are asked for with each
regular check of 30 s; ten thousand are 4 MB, and are asked for every quarter of an hour."""

SHOW_MAX_BYTES: Final = 2 * 2**20
"""One model's description: its licence, its template and the names of its tensors, some 100 kB."""

SHOWS_AT_A_TIME: Final = 16
"""With each check at the most: for each the server opens the model's file. 300 models are known after ten minutes."""

SHOW_RATE: Final = 32_768.0
"""Bytes a second that these descriptions may cost on the average: 16 of 100 kB with every second regular check."""

SHOW_AGAIN: Final = 3600.0
"""A model that is listed, and that the server does not find or cannot describe, is asked for again after an hour."""

SHOW_RETRY: Final = 300.0
"""Where no answer came: the server loads a model, say, which takes a minute or two."""

PS_BELIEVED: Final = 3
"""So many times in a row the list of what is loaded may not come; then nothing counts as loaded."""

REQUIRED_MAX: Final = 16
ALIASES_MAX: Final = 64
"""More than anybody keeps in mind."""

CAPABILITIES_MAX: Final = 16
"""Ollama has seven (types/model/capability.go)."""

# --- ensure ------------------------------------------------------------------------------------------

PULL_CONNECT: Final = 5.0
"""The snapshot says that the server answers; the first contact over an idle tunnel takes 1 s."""

PULL_QUIET: Final = 120.0
"""Ollama gives up a part that has stood still for 30 s and fetches it anew, with pauses of up to 32 s
(server/download.go); what stands still for two minutes does not come back by itself."""

PULL_VERIFY: Final = 1800.0
"""Between `verifying sha256 digest` and the end Ollama says nothing: 100 GB on a disk of 60 MB/s take half an hour."""

PULL_RATE_WINDOW: Final = 5.0
"""The rate is that of the last 5 s: long enough to stand still on the screen, short enough to follow."""

PULL_LAYERS_MAX: Final = 256
"""A model has about six layers; adapters and split weights make it some dozens."""

PULL_STATUSES_MAX: Final = 2000
"""Steps that count as progress: Ollama has a handful, and one for each layer and change of layer."""

PULL_LINE_MAX: Final = 2**16
"""A line is about 200 bytes."""

PULL_SHOW: Final = 0.2
"""A bar, and lines for programs, are renewed at most so often."""

PULL_SAY: Final = 1.0
PULL_SAY_SHARE: Final = 0.05
PULL_SAY_AGAIN: Final = 30.0
"""A line for a log: at most one a second, for each 5 %, and each half minute whatever came."""

LOAD_DEADLINE: Final = 330.0
"""Ollama itself gives up a load that does not come on for 5 minutes (envconfig: OLLAMA_LOAD_TIMEOUT)."""

LOAD_MAX_BYTES: Final = 2**16
"""The answer to a load is 150 bytes."""

# --- Speeds ------------------------------------------------------------------------------------------

ANSWER_TOKENS: Final = 200
"""A typical answer: a million conversations with open models have answers of about 200 tokens on average
(LMSYS-Chat-1M, arXiv:2309.11998)."""

LOAD_ASSUMED: Final = 10.0
"""A model that must be loaded, and nobody knows how long that takes: 5 GB from a disk of 500 MB/s."""

BENCH_TOKENS: Final = 64
"""Enough for a rate that is good to a few per cent, and 13 s where a processor does 5 tokens a second."""

BENCH_FASTER: Final = 10.0
"""What took so many times as long here as it is said to have taken there is counted in another unit, or is a lie. A
slow path takes longer, but words come through it as fast."""

BENCH_WARM: Final = 4
"""Tokens of the generation that only loads: the first ones compile what the card runs."""

BENCH_LEAST_TOKENS: Final = 16
"""A rate of fewer is mostly the clock's."""

BENCH_QUIET: Final = 60.0
"""Between two tokens; until the first one others may be served, and a processor reads the prompt."""

BENCH_DEADLINE: Final = 240.0
"""64 tokens of a machine that does one in 2 s, and a minute of waiting for others; nobody works with less."""

BENCH_MAX_BYTES: Final = 2**20
"""An answer of 64 tokens is 15 KB: a line for each, and the last with the numbers of all tokens."""

BENCH_RELOADED: Final = 1.0
"""A model that is loaded is found within 0.2 s; where that takes longer, it had been unloaded again."""

BENCH_SLACK: Final = 0.5
"""Seconds by which two clocks may differ about one generation, besides a tenth of it."""

RATE_MAX: Final = 100_000.0
"""Tokens a second that nobody's machine makes: a model of 340 kB makes 10,000."""

SPEEDS_KEPT: Final = 1000
SPEEDS_MAX_BYTES: Final = 2 * 2**20
"""Ten servers with a hundred models each; a figure takes 250 bytes, 1.3 KB at the most."""

BENCH_RATE_GUESSED: Final = 10.0
DISK_RATE_GUESSED: Final = 500e6
"""Tokens and bytes a second, to say before how long it will take about, where no figure is known."""

# --- Which sizes run well ----------------------------------------------------------------------------

RATE_WELL: Final = 20.0
"""Tokens a second: a typical answer is there within 10 s, for which people keep their mind on it (Nielsen, Usability
Engineering, 1993, chapter 5)."""

RATE_READABLE: Final = 6.0
"""Slower than this, one waits for each word: people read 238 words a minute (Brysbaert 2019), 5 tokens a second."""

Q4_BYTES: Final = 0.6e9
"""Of a model with a thousand million parameters in Q4: mistral, 7.2, has 4.1 GB; mixtral, 46.7, has 26 GB."""

CONTEXT_SHARE: Final = 1.2
"""Loaded, a model takes about a fifth more, for its context: mistral with 4,096 tokens takes 5 GB."""

ESTIMATE_REACH: Final = 4.0
"""From a measured model to one that is so many times larger or smaller; beyond that other things count."""

DENSE_BELOW: Final = 15.0
"""Thousand millions of parameters. Of larger models often a part works at a time (qwen3:30b, gpt-oss:20b), so that
their rate says nothing of others."""
