"""Every interval, limit and threshold, each with its reason. Times are seconds, sizes are bytes."""

from typing import Final

VERSION: Final = "0.1.0"

# --- The tailnet -------------------------------------------------------------------------------------

OLLAMA_PORT: Final = 11434
"""Where `ollama serve` listens when nobody says otherwise (Ollama: envconfig/config.go)."""

TAILNET_RANGES: Final = ("100.64.0.0/10", "fd7a:115c:a1e0::/48")
"""The only addresses Tailscale gives to nodes (Tailscale: net/tsaddr/tsaddr.go)."""

MULLVAD_TAG: Final = "tag:mullvad-exit-node"
MULLVAD_DOMAIN: Final = ".mullvad.ts.net"
INGRESS_TAG: Final = "tag:ingress"
"""Funnel's relays arrive as peers with this tag and the flag ShareeNode; they are nobody's machines."""

NO_SERVER_OS: Final = frozenset({"ios", "android", "tvos"})
"""Systems on which Ollama does not run; asking them wakes a battery for nothing."""

# --- The tailscale command ---------------------------------------------------------------------------

STATUS_DEADLINE: Final = 5.0
"""`tailscale status` answers in about 15 ms; after 5 s it hangs."""

STATUS_MAX_BYTES: Final = 64 * 2**20
"""A peer is 1.3-1.9 kB of JSON: 64 MiB is more than 30,000 peers."""

STDERR_MAX_BYTES: Final = 4096
"""Enough for the sentence that says why; the rest of a usage text is noise."""

KILL_GRACE: Final = 0.5
"""How long a child that was sent SIGTERM may take before SIGKILL."""

LOOK_AWAY_WAIT: Final = 10.0
"""While tailscaled does not run it is asked at least this often: it may be back any moment."""

LOOK_CPU_SHARE: Final = 100
"""Tailscale is asked no more often than 100 x the CPU time the last look took: under 1 % of a core
even on a tailnet of 10,000 peers."""

# --- Probes ------------------------------------------------------------------------------------------

SYN_HEDGE: Final = 0.3
"""A second socket tries after this: the first SYN over an idle tunnel is lost while WireGuard shakes
hands, and the kernel sends it again only after 1 s (RFC 6298, section 2.1)."""

SYN_PROVISIONAL: Final = 0.8
"""A peer silent for this long is called silent for now; a late answer still counts. Longer than the
hedge plus the slowest path seen on a relay (about 0.4 s)."""

SYN_PATIENCE_KNOWN: Final = 1.0
"""A server whose round trip is known gets max(this, 3 x round trip) for its SYN-ACK: the kernel
answers it however busy Ollama is, so that a longer wait finds nothing."""

SYN_PATIENCE_ROUND_TRIPS: Final = 3

BURST: Final = 3
"""Connects at once for one round trip sample; the minimum counts, as queues only ever add."""

PROBE_ROUND_TRIPS: Final = 3
"""A probe takes this many: the connect, the version, the burst."""

VERSION_MAX_BYTES: Final = 64 * 2**10
"""The answer is 20 bytes; what sends more than this is no Ollama."""

TAGS_MAX_BYTES: Final = 8 * 2**20
"""10,000 models are 3.5 MB."""

HEAD_MAX_BYTES: Final = 16 * 2**10
"""Ollama's response head is about 130 bytes."""

MODELS_MAX: Final = 10_000
MODEL_NAME_MAX: Final = 256
DETAIL_MAX: Final = 200
"""Of a text that came from the network, this many characters are kept."""

TAGS_PATIENCE_MIN: Final = 0.02
"""The list of models travels at the same time as the burst; it may be late by one round trip, and by
at least this, before the server counts without it."""

# --- Health ------------------------------------------------------------------------------------------

RISE: Final = 2
"""Answers in a row until a server that was down is up again (HAProxy's default)."""

FALL: Final = 3
"""Failures in a row until a server that was up is down (HAProxy's default)."""

HOLD_FIRST: Final = 60.0
"""How long a server that failed must wait before it may displace a healthy one: longer than a Mac in
Power Nap stays awake (30 s)."""

HOLD_MAX: Final = 1800.0
HOLD_FORGET: Final = 3600.0
"""A server that lived for an hour has its past forgiven."""

# --- Selection ---------------------------------------------------------------------------------------

DEAD_BAND: Final = 0.010
"""A challenger must be this much faster than the current server ..."""

DEAD_BAND_RATIO: Final = 2 / 3
"""... and need at most this share of its round trip. In simulation (three nearly equal servers, 2 %
loss) this switches 0.3 times a day, a moving average 21 times, nothing at all 180 times."""

AWAITED_PATIENCE: Final = 1.0
"""After a start, how long a server that was known before, and ranks higher, is waited for: the first
contact over an idle tunnel takes 1 s."""

# --- Cadence -----------------------------------------------------------------------------------------

INTERVAL: Final = 30.0
INTERVAL_MIN: Final = 1.0
INTERVAL_MAX: Final = 3600.0
TIMEOUT: Final = 3.0
TIMEOUT_MIN: Final = 0.5
TIMEOUT_MAX: Final = 30.0

JITTER: Final = 0.1
"""Each wait is stretched or shortened by up to this share, so that many daemons do not beat in step."""

FAST_RECHECK: Final = 0.4
"""Between the checks that decide whether a server fell or rose (HAProxy calls it fastinter)."""

REFUSED_MAX_WAIT: Final = 60.0
"""A machine that is up without Ollama: someone may start it any minute."""

SILENT_MAX_WAIT: Final = 900.0
"""A machine that says nothing; tailscale says at once when it comes online."""

BATCH_SHARE: Final = 0.2
"""Servers due within this share of the interval are probed together: fewer wake-ups."""

BATCH_MAX: Final = 10.0

KNOWN_MAX_WAIT: Final = 60.0
"""A server that has answered before is asked at least this often, silent or not: it is wanted back."""

NEXT_BEST: Final = 3
"""When the current server is in doubt, this many others are asked as well."""

# --- Publishing and reading --------------------------------------------------------------------------

SCHEMA: Final = 1
"""Of state.json. It grows when a reader of the old one would be misled."""

HEARTBEAT: Final = 30.0
"""How often the daemon touches `verdict`."""

HEARTBEAT_DEAD: Final = 100.0
"""Older than three heartbeats: no daemon lives. (query.py repeats it: it imports nothing.)"""

LOOK_BUDGET: Final = 3.0
"""How long a command looks for itself when there is no daemon."""

REQUESTS_MAX: Final = 1000
"""Files read from `requests/` at a time."""

REQUEST_MAX_BYTES: Final = 4096
REFRESH_MIN_GAP: Final = 1.0
"""Requests to look again are served at most this often."""

CONFIG_MAX_BYTES: Final = 2**20
STATE_MAX_BYTES: Final = 64 * 2**20

REARM_DELAY: Final = 0.02
"""The probe job is set again this long after a result: a sweep of a thousand sets it a few times only."""

FILES_MODEST: Final = 10_240
"""What macOS allows at the most (OPEN_MAX), where more is refused."""

OPENING_GAP: Final = 0.05
"""While an opening round holds the first publication back, it is asked again this often: patience ends
without any event."""

SETTLE_GAP: Final = 0.01
"""Results within this time of a decision are decided on together: no person sees 10 ms, and a sweep of a
thousand would decide a hundred times."""

FILES_RESERVED: Final = 128
"""Descriptors that probes leave for everything else."""

FILES_WANTED: Final = 65_536
"""The soft limit of open files is raised to this, as far as the hard one allows: macOS starts at 256."""
