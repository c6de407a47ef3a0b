"""`ollama-located --check`: a living daemon is told from one that was killed, one that hangs and none."""

import os
import signal
import subprocess
import sys
import time

from .harness import Lab, until


def checked(lab: Lab) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", "from ollama_locate.located.main import main; raise SystemExit(main(['--check']))"],
        env=lab.env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_it_says_whether_the_daemon_lives(lab: Lab) -> None:
    silence = f"ollama-located: the daemon of {lab.state} has said nothing for 100 s, if one runs\n"
    assert checked(lab) == (1, "", silence)

    lab.machine("gpu", 2)
    daemon = lab.start()
    until(lambda: checked(lab)[0] == 0, "a living daemon")
    code, out, err = checked(lab)
    assert (code, err) == (0, "")
    assert out.startswith(f"pid {daemon.pid}, heard ")
    assert out.endswith("(fresh)\n")

    daemon.send_signal(signal.SIGSTOP)
    os.utime(lab.state / "verdict", (time.time() - 101,) * 2)
    assert checked(lab) == (1, "", silence)

    os.utime(lab.state / "verdict")
    daemon.kill()
    daemon.wait()
    assert checked(lab) == (1, "", f"ollama-located: the daemon of {lab.state} does not run any more\n")


def test_a_state_that_cannot_be_read_is_no_good_health(lab: Lab) -> None:
    lab.machine("gpu", 2)
    assert lab.start("--once").wait() == 0
    (lab.state / "state.json").write_text("{")
    code, out, err = checked(lab)
    assert (code, out) == (1, "")
    assert str(lab.state / "state.json") in err
