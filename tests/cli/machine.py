"""A machine whose systemctl is a stand-in, which starts the daemon for one round."""

import sys
from pathlib import Path

from tests.standins.programs import Programs, Says

SHOW = "*'show ollama-located.service'*"


class Machine:
    """Where systemd starts the daemon for one round."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.state = folder / "state"
        self.config = folder / "config/ollama-locate/config.toml"
        self.unit = folder / "config/systemd/user/ollama-located.service"
        self.programs = programs
        self.config.parent.mkdir(parents=True)
        self.config.write_text(f'tailscale = "{folder}/none"\nlocal = "off"\n')
        self.knows("")

    def knows(self, shown: str, restart: Says | None = None) -> None:
        once = f"{Path(sys.executable).with_name('ollama-located')} --once >/dev/null 2>&1 || :"
        self.programs.put(
            "systemctl",
            {
                "*show-environment*": Says(f"XDG_CONFIG_HOME={self.unit.parents[2]}\nLANG=C\n"),
                SHOW: Says(shown.format(file=self.unit)),
                "*restart*": restart or Says(does=once),
            },
        )
