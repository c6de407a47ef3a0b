"""Whether this machine runs on its battery."""

import contextlib
import sys
from pathlib import Path
from typing import Final

_SUPPLIES: Final = Path("/sys/class/power_supply")
_IOKIT: Final = "/System/Library/Frameworks/IOKit.framework/IOKit"
_EXTERNAL: Final = -2.0
"""kIOPSTimeRemainingUnlimited: all of the power comes from outside (IOKit/ps/IOPowerSources.h)."""


def on_battery(supplies: Path = _SUPPLIES) -> bool:
    """Whether it does; False where the system does not say. Reads files."""
    if sys.platform == "darwin":
        return _on_battery_macos()
    discharging = False
    with contextlib.suppress(OSError):
        for supply in supplies.iterdir():
            kind = _read(supply / "type")
            if kind in ("Mains", "USB", "Wireless") and _read(supply / "online") == "1":
                return False
            # A mouse has a battery too; its scope is the device (Linux: Documentation/ABI/testing/sysfs-class-power).
            if kind == "Battery" and _read(supply / "scope") != "Device":
                discharging = discharging or _read(supply / "status") == "Discharging"
    return discharging


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _on_battery_macos() -> bool:
    import ctypes  # noqa: PLC0415 - for macOS only

    try:
        remaining = ctypes.CDLL(_IOKIT).IOPSGetTimeRemainingEstimate
    except (OSError, AttributeError):
        return False
    remaining.restype = ctypes.c_double
    return bool(remaining() != _EXTERNAL)
