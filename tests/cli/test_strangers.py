"""What a person reads where no center is at the address, or what was given is no token."""

import shlex
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.terminal import Terminal

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
STRANGERS = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "another service": HEAD + b"Content-Length: 2\r\n\r\n{}",
    "a list": HEAD + b"Content-Length: 2\r\n\r\n[]",
    "no JSON": HEAD + b"Content-Length: 2\r\n\r\n{!",
    "cut off": HEAD + b"Content-Length: 200\r\n\r\n{",
    "sends on": b"HTTP/1.1 308 x\r\nLocation: https://z.example/\r\nContent-Length: 0\r\n\r\n",
}
COMMANDS = ("push one.txt --yes", "incident list", "task list", "response show x")


@contextmanager
def stranger(answer: bytes) -> Iterator[str]:
    """Lend the address of something that answers every request with these bytes."""

    class Answering(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("name", STRANGERS)
def test_who_is_no_center_is_told_from_one(name: str, center: Terminal) -> None:
    (center.folder / "one.txt").write_text("198.51.100.7\n")
    with stranger(STRANGERS[name]) as address:
        for command in COMMANDS:
            said = center.run(*shlex.split(command), "--url", address, "--token", "x", code=1)
            last = said.stderr[said.stderr.index("error: ") :]
            assert "address" in last or "--url" in last


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", "http://a:b@127.0.0.1:1"])
def test_what_is_no_address_is_wrong_usage(command: str, url: str, center: Terminal) -> None:
    (center.folder / "one.txt").write_text("198.51.100.7\n")
    said = center.run(*shlex.split(command), "--url", url, "--token", "x", code=2)
    assert "is not an address" in said.stderr


def test_a_token_out_of_a_file_may_end_with_its_line(center: Terminal) -> None:
    token = center.json("token", "create", "Landkreis A")["token"]
    with center.serving() as said:
        address = next(word for word in said.split() if word.startswith("http://"))
        center.run("lookup", "198.51.100.7", "--url", address, "--token", f"{token}\r\n")
        center.run("task", "list", "--url", address, "--token", f"{token}\r\n")
    center.run("lookup", "x.example", "--token", "a\nb", code=2)
