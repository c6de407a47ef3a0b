"""`python packaging/generate.py FOLDER`: man pages and completions, laid out as below a prefix such as /usr/local."""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "daemon"), str(ROOT / "packaging")]

COMPLETIONS: Final = {
    "bash": "share/bash-completion/completions/ollama-locate",
    "zsh": "share/zsh/site-functions/_ollama-locate",
    "fish": "share/fish/vendor_completions.d/ollama-locate.fish",
}
"""Where bash-completion, zsh and fish look of themselves, below a prefix."""


def files() -> dict[str, str]:
    """Path below the prefix -> content."""
    from man_pages import pages  # noqa: PLC0415 - found by the path that was set above
    from ollama_locate.cli.completion import script  # noqa: PLC0415 - as above
    from ollama_locate.cli.main import parser  # noqa: PLC0415 - as above

    manuals = {f"share/man/man{name[-1]}/{name}": page for name, page in pages().items()}
    return manuals | {place: script(parser(), shell) for shell, place in COMPLETIONS.items()}


def write(folder: Path) -> list[str]:
    """Write all of them; returns their paths below the folder."""
    made = files()
    for place, text in made.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, "ascii")
    return sorted(made)


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the folder
        sys.exit(__doc__)
    print("\n".join(write(Path(sys.argv[1]))))
