"""A real nginx on loopback, in front of servers on loopback: TLS, a token, a path, a cache."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

WORD = "s3cret-t0ken"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

_CONFIG = """\
{user}
pid {folder}/pid;
daemon off;
worker_processes 1;
error_log stderr emerg;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=kept:1m;
  server {{
    listen 127.0.0.1:{plain};
    listen 127.0.0.1:{tls} ssl;
    ssl_certificate {folder}/chain.pem;
    ssl_certificate_key {folder}/key.pem;
    location /ollama/ {{
      if ($http_authorization != "Bearer {token}") {{ return 401; }}
      proxy_pass http://127.0.0.1:{upstream}/;
      proxy_buffering off;
    }}
    location /cached/ {{
      proxy_pass http://127.0.0.1:{upstream}/;
      proxy_cache kept;
      proxy_cache_valid any 10m;
      proxy_cache_use_stale error timeout http_502;
    }}
    location /open/ {{ proxy_pass http://127.0.0.1:{upstream}/; }}
    location /login/ {{ return 302 /signin; }}
    location /page/ {{ default_type text/html; return 200 "<!doctype html><title>Sign in</title>"; }}
    location /away/ {{ return 503; }}
    location /closed/ {{ return 403; }}
  }}
}}
"""


class Nginx:
    """`url` begins with the port that speaks TLS, `plain` with the other one; `ca` is whose certificate it has."""

    def __init__(self, folder: Path, upstream: int, name: str = "localhost") -> None:
        folder.mkdir()
        authority = trustme.CA()
        certificate = authority.issue_cert(name)
        certificate.cert_chain_pems[0].write_to_path(folder / "chain.pem")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        self.port, self.plain_port = _free(), _free()
        self.url, self.plain = f"https://localhost:{self.port}", f"http://127.0.0.1:{self.plain_port}"
        config = _CONFIG.format(
            user="user root;" if os.geteuid() == 0 else "",
            folder=folder,
            plain=self.plain_port,
            tls=self.port,
            upstream=upstream,
            token=WORD,
        )
        (folder / "conf").write_text(config)
        words = [str(NGINX), "-p", str(folder), "-c", str(folder / "conf"), "-e", "stderr"]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        ends = time.monotonic() + 10
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self._process.poll() is None, "nginx has ended"
            assert time.monotonic() < ends
            time.sleep(0.01)  # the pause of a poll, not a wait for luck

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@contextlib.contextmanager
def nginx(folder: Path, upstream: int, name: str = "localhost") -> Iterator[Nginx]:
    """Serve, in front of what listens at this port of loopback, or does not."""
    served = Nginx(folder, upstream, name)
    try:
        yield served
    finally:
        served.close()


def _free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
