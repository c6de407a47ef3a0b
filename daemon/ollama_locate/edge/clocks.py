"""The clocks of this machine, with and without the time that it slept."""

import sys
import time

from ollama_locate.core.disturbance import Reading


def read() -> Reading:
    """All of them now. Where no clock tells of sleep, none is seen: a stall is, and the wall clock's step."""
    monotonic = time.monotonic()
    if sys.platform == "linux":
        boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    elif sys.platform == "darwin":
        # There CLOCK_MONOTONIC goes on in sleep, and CLOCK_UPTIME_RAW, which is Python's, does not.
        boot = monotonic + time.clock_gettime(time.CLOCK_MONOTONIC) - time.clock_gettime(time.CLOCK_UPTIME_RAW)
    else:
        boot = monotonic
    return Reading(monotonic, boot, time.time())
