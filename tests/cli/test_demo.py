"""`wsgiperf demo`: both example sites, seen as a newcomer sees them."""

import re
import socket
from pathlib import Path

import pytest
from command_line import Server, get, run, said, taken_port, without

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The sites' databases, made once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def demo(data: Path, tmp_path: Path):
    servers = []

    def start(*arguments: str, cwd: Path = ROOT, **environ: str) -> Server:
        servers.append(
            Server(tmp_path / "log", "demo", *arguments, cwd=cwd, DEMO_DATA_DIR=str(data), **environ)
        )
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


def addresses(server: Server) -> dict[str, tuple[int, str]]:
    """Port and path of each site, as printed; all of them answer when the last line is out."""
    server.expect("Ctrl-C stops it")
    found = re.findall(r"^ +(\w+) +http://127\.0\.0\.1:(\d+)(/\S*)$", server.log, re.MULTILINE)
    return {name: (int(port), path) for name, port, path in found}


def test_both_sites_are_served_with_everything_on(demo):
    found = addresses(demo("--port=0"))
    assert {name: path for name, (_, path) in found.items()} == {"Flask": "/", "Django": "/django/"}
    for port, path in found.values():
        response = get(port, path, Accept_Encoding="br")
        assert response.status == 200
        assert response.headers["Content-Encoding"] == "br"
        for name in ("X-Request-ID", "Server-Timing", "X-Processing-Time", "Content-Security-Policy"):
            assert response.headers[name], name


def test_the_mount_needs_no_slash(demo):
    port, path = addresses(demo("--port=0"))["Django"]
    assert get(port, path.removesuffix("/")).status == 200


@pytest.mark.parametrize("name", ["Flask", "Django"])
def test_one_site_alone_is_at_the_root(demo, name):
    found = addresses(demo(APP=name.lower(), PORT="0"))
    assert {name: path for name, (_, path) in found.items()} == {name: "/"}
    port, path = found[name]
    page = get(port, path)
    assert page.status == 200
    assert b"/django/" not in page.content


def test_ctrl_c_stops_it(demo):
    server = demo("--port=0")
    port, _ = addresses(server)["Flask"]
    get(port)
    assert server.interrupt() == 0
    server.expect_nothing_left()
    assert server.log.endswith("Stopped.\n")
    assert "Traceback" not in server.log
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_ctrl_c_stops_it_while_a_page_listens_to_events(demo):
    server = demo("--port=0")
    port, _ = addresses(server)["Flask"]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as visitor:
        visitor.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert visitor.recv(100).startswith(b"HTTP/1.1 200 OK")
        assert server.interrupt() == 0
    server.expect_nothing_left()
    assert "Traceback" not in server.log
    assert "ERROR" not in server.log


def test_ctrl_c_before_it_is_up_leaves_no_traceback_either(demo):
    server = demo("--port=0")
    server.expect("The first start fills")
    assert server.interrupt() == 0
    server.expect_nothing_left()
    assert "Traceback" not in server.log
    assert "ERROR" not in server.log


def test_a_taken_port_is_said_at_once():
    with taken_port() as port:
        error = said(run("demo", f"--port={port}", cwd=ROOT))
    assert f"port {port} of 127.0.0.1 is taken by another program" in error
    assert "make demo PORT=9000" in error


def test_from_anywhere_inside_the_checkout_whatever_lies_there(demo, tmp_path):
    """The examples' modules have plain names; files of these names where the command runs are not theirs."""
    (tmp_path / "app.py").write_text("raise SystemExit('the wrong app')")
    found = addresses(demo("--port=0", "--app=flask", cwd=tmp_path, DJANGO_SETTINGS_MODULE="other.settings"))
    assert get(*found["Flask"]).status == 200


def test_without_its_packages_it_says_what_to_install():
    error = said(run("demo", command=without("gunicorn", "django"), cwd=ROOT))
    assert error == 'Error: the demo needs gunicorn, django: pip install "wsgiperf[demo]"\n'


def test_a_site_that_does_not_exist():
    done = run("demo", "--app=rails", cwd=ROOT)
    assert done.returncode == 2
    assert "'both', 'flask', 'django'" in done.stderr
