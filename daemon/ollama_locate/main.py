"""The entry of `ollama-locate`: the bare command is answered without importing the rest."""

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.argv[1:] in ([], ["url"]):
        from ollama_locate import query  # noqa: PLC0415 - this module knows both paths and imports only one

        code = query.answer()
        if code is not None:
            return code
    from ollama_locate.cli.main import main as cli_main  # noqa: PLC0415 - as above

    return cli_main(sys.argv[1:])
