"""Bounds of what is written, read, forwarded and asked of other programs, each with its reason; see constants.py."""

from typing import Final

# --- Publishing and reading --------------------------------------------------------------------------

SCHEMA: Final = 1
"""Of state.json. It grows when a reader of the old one would be misled."""

HEARTBEAT: Final = 30.0
"""How often the daemon touches `verdict`."""

WATCHDOG_SHARE: Final = 1 / 3
"""A sign of life each third of the time that systemd's WatchdogSec allows (sd_watchdog_enabled(3) says half)."""

WATCHDOG_LATE: Final = 3 * HEARTBEAT
"""A job that is so late does not only wait for a busy machine."""

HEARTBEAT_DEAD: Final = 100.0
"""Older than three heartbeats: no daemon lives. (query.py repeats it: it imports nothing.)"""

LOOK_BUDGET: Final = 3.0
"""How long a command looks for itself when there is no daemon."""

REQUESTS_MAX: Final = 1000
"""Files read from `requests/` at a time."""

REQUEST_MAX_BYTES: Final = 4096
REQUEST_HALF: Final = 60.0
"""One that is half-written for so long is never ended: to write it takes a millisecond."""

REFRESH_MIN_GAP: Final = 1.0
"""Requests to look again are served at most this often."""

ENSURE_SEEN: Final = 3.0
"""How long `ensure` waits until the daemon lists what was loaded, so that the next command finds it: the gap above, and
a round of checks."""

VARIABLES_MAX: Final = 32
"""Variables besides which nobody needs more. With names and values as long as may be, and the marker, they are
41 KB: less than what a shell's hook reads at the most."""

HOOK_MAX_BYTES: Final = 2**16
"""A hook reads so much of the file `env` at a prompt, and lets a larger one be."""

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

# --- Static servers behind a proxy -------------------------------------------------------------------

HEADERS_MAX: Final = 16
HEADERS_MAX_BYTES: Final = 2**14
"""Of the file: a token takes a few hundred bytes, and proxies take 8 KiB of headers (nginx:
large_client_header_buffers)."""

CA_MAX_BYTES: Final = 2**20
"""All authorities that browsers believe are 220 KB."""

ACCESS_PATIENCE: Final = 2.0
"""For reading the two files: a folder on a server that is gone must not hold a probe."""

# --- The history -------------------------------------------------------------------------------------

HISTORY_FLUSH: Final = 600.0
"""Round trips are written to the history this often, one line for each server: a write wakes the disk."""

HISTORY_MIN_GAP: Final = 10.0
"""A switch is written at once, unless one was within this time."""

HISTORY_KEPT: Final = 30 * 86_400.0
HISTORY_MAX_BYTES: Final = 10 * 2**20
"""What is older, and what would not fit, goes: the oldest round trips first."""

HISTORY_FORGOTTEN: Final = 86_400.0
"""A write drops the oldest day at the most: a clock that is a month ahead for a few minutes costs a few days, not all,
and after a long holiday the rest goes with the writes of the next hours."""

HISTORY_WAITING_MAX: Final = 10_000
"""Lines that are kept in memory while the history cannot be written."""

HISTORY_SHOWN: Final = 20
"""Switches that `ollama-locate history` shows where nobody says how many."""

# --- Watching ----------------------------------------------------------------------------------------

WATCH_POLL: Final = 0.2
"""How often `ollama-locate watch` looks whether the state file is another one: a stat costs 3 µs, and a person takes
0.2 s to see anything."""

WATCH_TICK: Final = 1.0
"""Ages on the screen are counted in seconds."""

WATCH_TREND: Final = 24
"""Round trips that are kept of each server for its row of bars."""

WATCH_EVENTS: Final = 100
"""Events that are kept: more than the tallest screen shows."""

WATCH_SEED: Final = 86_400.0
"""What of the history is shown at the start: the last day."""

WATCH_LEAVE: Final = 0.5
"""A terminal that takes nothing any more is waited for so long when it is to be given back."""

# --- Metrics -----------------------------------------------------------------------------------------

METRICS_MIN_GAP: Final = 5.0
"""A switch is written at once, anything else no sooner than this after the last writing: Prometheus scrapes every 15 s
or less often."""

METRICS_SERVERS_MAX: Final = 100
"""Each server is four time series; the rest of a large tailnet is counted."""

METRICS_FILE_MODE: Final = 0o644
"""Node_exporter runs as another user."""

# --- Commands on a change ----------------------------------------------------------------------------

COMMANDS_MAX: Final = 16
"""Each may run at the same time as the others."""

COMMAND_DEADLINE: Final = 10.0
COMMAND_DEADLINE_MIN: Final = 0.1
COMMAND_DEADLINE_MAX: Final = 600.0
"""How long a command may take. The next change waits for it."""

COMMAND_MAX_BYTES: Final = 2**20
"""A command that says more than 1 MiB is ended: nobody reads it."""

# --- Feeds -------------------------------------------------------------------------------------------

FEEDS_MAX: Final = 8
"""There are three formats; two of each are enough for a machine that runs all of them twice."""

FEED_FILE_MODE: Final = 0o644
"""HAProxy, LiteLLM and Prometheus run as other users, and there is no secret in it."""

FEED_CONNECT: Final = 5
"""Seconds that HAProxy waits for a server to accept: the first contact over an idle tunnel takes 1 s."""

FEED_ANSWER: Final = 600
"""Seconds that HAProxy waits for the next byte of an answer. Loading a large model takes minutes (Ollama gives up after
5), and an answer that is not streamed comes when all of it is there."""

FEED_CHECK: Final = 5
"""Seconds between two checks, and for the answer to one: busy is not dead."""

FEED_CHECK_SOON: Final = 1
"""Seconds until the next check of a server in doubt."""

# --- The forward -------------------------------------------------------------------------------------

FORWARD_CONNECTIONS: Final = 1000
"""At once; who comes then waits in the kernel's queue."""

FORWARD_DESCRIPTORS: Final = 6
"""What a connection may need: its client, its server, a pipe, and with TLS a pair of sockets."""

FORWARD_SHARE: Final = 0.25
"""Of the descriptors that this program may have, so much is the forward's at the most: probes and files go first."""

FORWARD_KEPT_MAX: Final = 64 * 2**20
"""Of all requests together, so much is kept to be asked again; beyond it a request is asked once."""

FORWARD_BACKLOG: Final = 512
FORWARD_HEAD_MAX: Final = 64 * 2**10
FORWARD_CHUNK: Final = 64 * 2**10
"""Bytes that are moved at a time, and the most that waits for a slow side."""

FORWARD_REPLAY_MAX: Final = 2**20
"""A request up to this size is kept until the first byte of its answer, and can be asked of another server."""

FORWARD_IDLE: Final = 600.0
"""A client that asks nothing for so long is let go; programs close idle connections after a minute or two."""

FORWARD_SERVERS: Final = 4
"""So many servers are tried for one request."""

FORWARD_DIAL: Final = 1.2
"""How long a server may take to accept: the first SYN over an idle tunnel is lost, the second leaves after 0.3 s."""

FORWARD_TLS: Final = 3.0
"""A handshake is two round trips, and work for a busy proxy."""

FORWARD_STAGGER: Final = 0.2
FORWARD_STAGGER_ROUND_TRIPS: Final = 4
"""After so long, or so many round trips, without a SYN-ACK the next best server is tried beside it, and the first that
stands is asked (as RFC 8305 does with addresses): a client shall not wait for a machine that was unplugged just now."""

FORWARD_HEDGE_SHARE: Final = 0.5
"""Of that time: then the second SYN leaves, so that one lost packet does not move a request. The sentinel keeps the
tunnel to the chosen server awake."""

FORWARD_EARLY: Final = 5.0
"""A server may answer before it has the whole request (too large, say): the rest is taken for so long."""

FORWARD_HEAD: Final = 10.0
"""How long the head of a request may take from its first byte on."""

FORWARD_KEEP_IDLE: Final = 10
FORWARD_KEEP_INTERVAL: Final = 5
FORWARD_KEEP_COUNT: Final = 3
"""Keep-alives of the connections to servers, in whole seconds. A server that thinks may be silent, its kernel is not;
a path that roams is silent for up to 7 s, and a long answer should live through that."""

# --- The doctor --------------------------------------------------------------------------------------

DOCTOR_ROUND: Final = 1.5
DOCTOR_PING: Final = 0.8
DOCTOR_ASK: Final = 0.6
"""Everybody is asked; those who stay silent are pinged, and who answers that is asked once more: 2.9 s in all. A silent
one is called so after 0.8 s, and a ping over an idle tunnel takes a third of a second."""

DOCTOR_DEADLINE: Final = 3.5
"""So long a check may take: a person waits for this, and one that hangs must not hide the others."""

DOCTOR_PINGED_MAX: Final = 16
"""Each ping is a process; of a tailnet with more silent machines the first ones are enough to tell why."""

DOCTOR_PROGRESS: Final = 0.5
"""What takes longer than this shows that it goes on."""

DOCTOR_COMMAND: Final = 2.0
"""`systemctl show` and `bash --version` take milliseconds."""

STARTUP_MAX_BYTES: Final = 2**20
"""Of a start-up file so much is read: a file of a megabyte is no start-up file."""

KEY_EXPIRES_SOON: Final = 7 * 86_400.0
"""A week: Tailscale's own client begins to remind at a week, keys last 180 days (tailscale.com/kb/1028/key-expiry)."""

CLOCK_FAR: Final = 120.0
"""An answer's `Date` is whole seconds, and a machine that asks for the time once an hour may drift by a second: two
minutes are no drift."""

FOLDER_ROOM: Final = 2**20
"""All files together are far smaller than this; below it a disk is full."""

TAILSCALE_SERVE_FROM: Final = "1.52"
"""The first version with `tailscale serve --bg --tcp` (tailscale.com/kb/1242/tailscale-serve: the commands changed
then); `status --json` is older than all that still log in."""

OLLAMA_FAULTS: Final = (
    ("0.1.34", "CVE-2024-37032", "A pulled model may write any file of the machine, and so run code there"),
    ("0.17.1", "CVE-2026-7482", "A crafted model file makes the server give away its memory, prompts and keys in it"),
)
"""The first version without the fault, its name, what it does. Both need no login and only the port
(nvd.nist.gov/vuln/detail/CVE-2024-37032, .../CVE-2026-7482; fixed in ollama v0.1.34 and v0.17.1)."""

# --- expose ------------------------------------------------------------------------------------------

EXPOSE_CONNECT: Final = 2.0
"""For an answer of this machine itself, in seconds."""

EXPOSE_COMMAND: Final = 15.0
"""For a command of tailscale's that changes something; it asks the control plane now and then."""

EXPOSE_VERIFY: Final = 5.0
"""Until tailscaled listens where it was told to."""

# --- Other programs ----------------------------------------------------------------------------------

CALL_MAX_BYTES: Final = 2**20
"""What systemctl, launchctl and their like may say."""

# --- mDNS --------------------------------------------------------------------------------------------

MDNS_SIGHTINGS_MAX: Final = 128
"""Services that are remembered of a LAN: anybody there can announce any number of them."""

MDNS_ADDRESSES_MAX: Final = 8
"""Addresses that are remembered of one service; a machine with more interfaces announces one for each of them."""

MDNS_SERVERS_MAX: Final = 64
"""Servers of the LAN that are asked: an allowed network may have more addresses than it has machines."""

MDNS_FORGET: Final = 2 * 4500.0
"""Who was not heard for so long, in seconds, is gone: what is announced holds for 75 minutes (RFC 6762, 10)."""

MDNS_GAP: Final = 0.25
"""What was heard is judged at most so often, in seconds, however much is said."""

MDNS_ASKED_MAX: Final = 16
"""Services whose address is asked for at once; most say it in their announcement (RFC 6763, 12.1)."""

MDNS_ASK: Final = 3.0
"""How long such a question may take, in seconds: zeroconf itself waits so long by default."""

MDNS_FLOOD: Final = 500
"""Datagrams a second, above which the LAN is not listened to for a while: 500 machines that announce themselves
at once are more than one LAN has, and each datagram takes 0.14 ms here."""

MDNS_REST: Final = 30.0
"""For so many seconds."""

MDNS_CHECK: Final = 2.0
"""For an answer of this machine's own Ollama at its own address, in seconds."""

MDNS_GOODBYE: Final = 1.0
"""Until nobody is waited for at the end: a goodbye is said three times, 125 ms apart."""

# --- Tailnets ----------------------------------------------------------------------------------------

TAILNETS_MAX: Final = 8
"""Each has a tailscaled, a look and a bus of its own; more of them on one machine are a mistake."""

MDNS_POINTERS_MAX: Final = 20_000
"""New names of services, since the LAN was begun to be listened to: zeroconf keeps 0.2 KB of each, 4 MB, as long as
whoever announced it says. More is taken for a flood, and all is forgotten."""
