"""Every interval, limit and threshold, each with its reason. Times are seconds, sizes are bytes."""

from typing import Final

VERSION: Final = "0.1.0"

# --- The tailnet -------------------------------------------------------------------------------------

OLLAMA_PORT: Final = 11434
"""Where `ollama serve` listens when nobody says otherwise (Ollama: envconfig/config.go)."""

TAILNET_RANGES: Final = ("100.64.0.0/10", "fd7a:115c:a1e0::/48")
"""The only addresses Tailscale gives to nodes (Tailscale: net/tsaddr/tsaddr.go)."""

LAN_RANGES: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")
"""Private addresses (RFC 1918), and those that machines give themselves (RFC 3927)."""

LOOPBACK_RANGES: Final = ("127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128")
"""What leads to this machine itself: 0.0.0.0 and :: do so on Linux and macOS (RFC 1122, 3.2.1.3)."""

MDNS_SERVICE: Final = "_ollama._tcp.local."
"""As which an Ollama is announced on a LAN. Nobody has registered the name; those who announce one use it."""

MULLVAD_TAG: Final = "tag:mullvad-exit-node"
MULLVAD_DOMAIN: Final = ".mullvad.ts.net"
INGRESS_TAG: Final = "tag:ingress"
"""Funnel's relays arrive as peers with this tag and the flag ShareeNode; they are nobody's machines."""

NO_SERVER_OS: Final = frozenset({"ios", "android", "tvos"})
"""Systems on which Ollama does not run; asking them wakes a battery for nothing."""

# --- Tailscale's bus ----------------------------------------------------------------------------------

BUS_HEAD_DEADLINE: Final = 5.0
"""Tailscaled answers in 1 ms; a socket that does not answer cannot ring."""

BUS_RETRY: Final = 1.0
BUS_RETRY_MAX: Final = 60.0
"""A bus that ended is tried again after 1 s, doubling: tailscaled restarts in a second, or is not there at all."""

BUS_STEADY: Final = 60.0
"""One that stood for this long has the first wait again."""

BUS_CHUNK: Final = 2**16
BUS_BREATH: Final = 0.05
"""After so many bytes the reading rests for so long: a flood costs no more than 20 rings a second."""

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

LOOK_ON_DOUBT: Final = 0.5
"""A doubt that lasts for this long makes tailscale be asked: is it the tailnet that is away?"""

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

SURE_GAP: Final = 0.4
"""A check that confirms a silence is two connects, this far apart, each with its own patience: one lost
packet, or one short hole of the path, is not the end of a server."""

SURE_ATTEMPTS: Final = 2

ANSWER_MIN: Final = 1.0
"""The least wait for an answer to a request: RFC 6298, section 2.4."""

ANSWER_MAX: Final = 30.0
"""The longest wait for an answer. Who needs more serves nobody: clients give up as well."""

ANSWER_GRANULARITY: Final = 0.01
"""The clock granularity G of RFC 6298, section 2: an event loop looks at its sockets about that often."""

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

FALL_BUSY: Final = 5
"""The same where its kernel accepts and no answer comes in time: the waits are 1, 2, 4, 8 and 16 s then, and a machine
whose answers take 6 s under load is not left for that. The price: one that hangs is left after 31 s. Four waits would
leave it after 15, and a busy one every tenth day (simulated)."""

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

FLOOR_OF: Final = 8
"""Servers are compared by the least of their last round trips, as queues only ever add: where the jitter is as long
as the path, two equal ones displace each other 284 times a day by the last one alone, and not once in 146 days by
this (tests/simulation).
A path that became longer shows after 4 minutes."""

AWAITED_PATIENCE: Final = 1.0
"""After a start, how long a server that was known before, and ranks higher, is waited for: the first
contact over an idle tunnel takes 1 s."""

TAILNET_SETTLES: Final = 6.0
"""After tailscaled was started anew: a handshake whose first packet is lost is tried again after 5 s (REKEY_TIMEOUT,
WireGuard's paper, 6.1), so that a server may be silent for so long while another one answers."""

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

EVIDENCE_KEPT: Final = 64
"""So many answers of others are remembered to judge a failure by; the oldest are of a time that nobody asks about."""

CLOSED_RECHECK: Final = 0.05
"""The same where the machine itself said no (it refused, or closed the connection): packets travel, and
nothing comes back to life in less. Right after a process has died, one connect in three still succeeds."""

RETURN_MIN_WAIT: Final = 2.0
RETURN_SHARE: Final = 0.02
"""While nothing answers, the last good server is asked every 2 s, later at 2 % of the time it is away."""

REFUSED_MAX_WAIT: Final = 60.0
"""A machine that is up without Ollama: someone may start it any minute."""

SILENT_MAX_WAIT: Final = 900.0
"""A machine that says nothing; tailscale says at once when it comes online."""

BATCH_SHARE: Final = 0.2
"""Servers due within this share of the interval are probed together: fewer wake-ups."""

BATCH_MAX: Final = 10.0

KNOWN_MAX_WAIT: Final = 60.0
"""A server that has answered before is asked at least this often, silent or not: it is wanted back."""

OFFLINE_MAX_WAIT: Final = 300.0
"""The same for one that tailscale calls offline: that it comes online is said at once."""

RELAY_SHARE: Final = 2.0
"""A server that is reached by a relay only is asked this many times less often: relays are shared."""

STRANGERS_A_SECOND: Final = 10.0
"""Machines that never answered as Ollama are asked at most so often, all together: a probe costs about
0.1 ms of CPU, so that a tailnet of 10,000 stays below 0.2 % of a core."""

REST_SPREAD: Final = 10.0
"""When everybody is to be asked again, those who never answered and are offline are spread over this."""

LOOK_SAFETY_NET: Final = 300.0
"""How often tailscale is asked where it rings by itself."""

NEXT_BEST: Final = 3
"""When the current server is in doubt, this many others are asked as well."""

# --- Many machines -----------------------------------------------------------------------------------

SHARED_BY: Final = 10
"""`interval` is meant for so many machines; where there are more, each asks a server so many times less often. At 30 s
that is a third of a check a second on a server, however many ask it: one request a second (REQUESTS_A_CHECK)."""

MACHINES_MAX: Final = 1_000_000
"""Many more than a tailnet has."""

REQUESTS_A_CHECK: Final = 3
"""The version, the models, those that are loaded; and four connects."""

SURGE_A_SECOND: Final = 1000
"""After an event that many see, a server is asked by so many a second at the most, and by no more than this at once.
Measured: a check costs an Ollama 0.17 with 20 models 1.5 to 3 ms of CPU, so that a surge is two or three cores for
some seconds."""

AGAIN_A_SECOND: Final = 100
"""The same while daemons that have no server ask again and again, or one to which no connection is held."""

OUTDATED: Final = 3.0
"""Whose last answer is older than so many intervals must answer again before it may displace a healthy one. Where
`interval` is not shared nobody is asked less often than every second one."""

# --- The sentinel ------------------------------------------------------------------------------------

SENTINEL_IDLE: Final = 2.0
SENTINEL_INTERVAL: Final = 1.0
SENTINEL_USER_TIMEOUT: Final = 2.5
"""Keep-alives of the connection held to the chosen server. Linux checks the user time-out at a keep-alive:
measured, silence ends the connection after 1.1-3.0 s (without it 5 s)."""

SENTINEL_COUNT: Final = 1
"""Unanswered keep-alives until the end where there is no user time-out (macOS)."""

SENTINEL_IDLE_BATTERY: Final = 10.0
"""On battery the radio sleeps longer. A silent server is left when the connection has ended (after 3.0 s at the most,
on battery 11) and two connects 0.4 s apart have been waited for (1.4 s); where a regular check was under way and must
end before, 1 s later: 5.4 s, on battery 13.4. What is promised is 6 and 14."""

SENTINEL_RETRY: Final = 1.0
SENTINEL_RETRY_MAX: Final = 900.0
"""A server that closes idle connections though it lives is left alone for 1 s, doubling to 15 min."""

SENTINEL_STEADY: Final = 600.0
"""One that kept the connection for this long does not close idle ones."""

# --- Disturbances of this machine --------------------------------------------------------------------

TICK: Final = 2.0
"""How often the clocks are compared. A timer that comes late shows a stall, and the boot clock a sleep."""

STALL: Final = 1.5
"""A tick this much late: answers may have come in time and not been read, so failures say nothing."""

SLEEP: Final = 10.0
"""A stall or a sleep this long: the world may be another one, and everything is looked at again."""

CLOCK_STEP: Final = 2.0
"""The wall clock moved by this much against the monotonic one: jobs are armed anew."""

NETWORK_SETTLES: Final = 0.5
"""Addresses and routes change in flocks: what they led to is looked at after this."""

NETWORK_MIN_GAP: Final = 5.0
"""Changes of this machine's addresses and routes are followed at most this often."""

# --- Reports from readers ----------------------------------------------------------------------------

REPORT_WINDOW: Final = 60.0
REPORTS_TO_DEMOTE: Final = 2
"""Two reports within a minute about a server whose probe passes: it answers, and does not work."""

REPORT_MIN_GAP: Final = 1.0
"""Reports about one server that come closer together are one."""

DEMOTED_FIRST: Final = 300.0
DEMOTED_MAX: Final = 3600.0
"""How long it then ranks below the other healthy ones; doubles each time, until it was well for an hour."""
