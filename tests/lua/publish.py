"""`python -m tests.lua.publish JSON`: publish as the daemon does, so that the real command can read it.

`servers`: their names and URLs, the first being the current one. `lists`: name -> the models that it says it has.
`config`: what else the config says.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.snapshots import alive, publish, snapshot
from tests.standins.tailscale import raw


def main(wanted: dict[str, Any]) -> None:
    servers, lists, more = wanted["servers"], wanted.get("lists", {}), wanted.get("config", "")
    static = "".join(f'{name} = "{url}"\n' for name, url in servers)
    config = f'local = "off"\nprefer = {json.dumps([name for name, _ in servers])}\n{more}\n[static]\n{static}'
    file = Path(os.environ["XDG_CONFIG_HOME"]) / "ollama-locate" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(config)
    probes = {f"static:{name}": alive(0.01, *lists.get(name, ())) for name, _ in servers}
    publish(Path(os.environ["OLLAMA_LOCATE_STATE_DIR"]), snapshot(probes, raw=raw(), config=config)).close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
