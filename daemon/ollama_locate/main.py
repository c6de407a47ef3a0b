"""The entry of `ollama-locate`: the bare command is answered without importing the rest."""

import os
import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.stdout is None:
        return 1
    try:
        code = _run()
        sys.stdout.flush()
    except OSError as error:
        # Nobody reads (`| head`), or what is written to is full: Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"ollama-locate: cannot write the answer: {error.strerror}\n")
        return 1
    return code


def _run() -> int:
    words = sys.argv[1:]
    if words[:1] == ["url"]:
        del words[0]
    if not words or (len(words) == 2 and words[0] == "--model"):  # noqa: PLR2004 - the option and its value
        from ollama_locate import query  # noqa: PLC0415 - this module knows both paths and imports only one

        code = query.answer_model(words[1]) if words else query.answer()
        if code is not None:
            return code
    if words[:1] == ["__names"]:
        from ollama_locate import candidates  # noqa: PLC0415 - as above

        return candidates.answer(words[1:])
    from ollama_locate.cli.main import main as cli_main  # noqa: PLC0415 - as above

    return cli_main(sys.argv[1:])
