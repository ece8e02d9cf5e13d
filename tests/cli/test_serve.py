"""`wsgiperf serve`: any application behind gunicorn, wrapped."""

import os
import re
import signal
import socket
from pathlib import Path

import brotli
import pytest
from command_line import Server, get, run, said, taken_port, wait_for_workers, without

APPLICATION = '''
import os

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Worker", str(os.getpid()))])
    return [b"A line that says the same. " * 100]

def make():
    return app
'''  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.d").mkdir()
    (tmp_path / "site.d" / "small_site.py").write_text(APPLICATION)
    return tmp_path / "site.d"


@pytest.fixture
def serve(site: Path):
    """Start the server; gives it and its port once it answers."""
    servers = []

    def start(*arguments: str, cwd: Path = site, **environ: str):
        server = Server(site.parent / "log", "serve", *arguments, "--port=0", cwd=cwd, **environ)
        servers.append(server)
        port = int(server.expect(r"Listening at: http://127\.0\.0\.1:(\d+)")[1])
        return server, port

    yield start
    for server in servers:
        server.__exit__()


def test_an_application_is_served_wrapped(serve):
    server, port = serve("small_site:app", "--workers=1")
    response = get(port, Accept_Encoding="br")
    assert response.status == 200
    assert response.headers["Content-Encoding"] == "br"
    assert brotli.decompress(response.content).startswith(b"A line that says the same.")
    assert response.headers["X-Request-ID"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r"\d\.\d{3}s", response.headers["X-Processing-Time"])
    assert "Using worker: gthread" in server.log


def test_a_factory_is_called(serve):
    _, port = serve("small_site:make()", "--workers=1")
    assert get(port, Accept_Encoding="gzip").headers["Content-Encoding"] == "gzip"


def test_settings_come_from_the_environment(serve):
    _, port = serve("small_site:app", "--workers=1", WSGIPERF_COMPRESSION="off")
    headers = get(port, Accept_Encoding="gzip").headers
    assert headers["Content-Encoding"] is None
    assert headers["X-Request-ID"]


def test_as_many_workers_as_told(serve):
    server, _ = serve("small_site:app", "--workers=3", "--threads=1")
    server.expect(r"(?s)(Booting worker.*){3}")
    assert "Using worker: sync" in server.log


def test_the_module_may_be_in_another_folder(serve, site):
    _, port = serve("small_site:app", f"--chdir={site}", "--workers=1", cwd=site.parent)
    assert get(port).status == 200


def test_other_options_are_gunicorns(serve):
    server, port = serve("small_site:app", "--workers=1", "--access-logfile", "-")
    get(port, "/somewhere")
    server.expect(r'"GET /somewhere HTTP/1\.1" 200')


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_asked(serve, number):
    server, port = serve("small_site:app", "--workers=2")
    wait_for_workers(port, 2)  # gunicorn's, while they load the application, may miss a signal to stop
    assert server.stop(number) == 0
    server.expect_nothing_left()
    assert "Traceback" not in server.log


def test_on_a_unix_socket(site, tmp_path):
    path = tmp_path / "socket"
    arguments = ["serve", "small_site:app", f"--bind=unix:{path}", "--workers=1"]
    with Server(tmp_path / "log", *arguments, cwd=site) as server, socket.socket(socket.AF_UNIX) as client:
        server.expect("Listening at: unix:")
        client.connect(os.fspath(path))
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_taken_port_is_said_at_once(site):
    with taken_port() as port:
        error = said(run("serve", "small_site:app", f"--bind=127.0.0.1:{port}", cwd=site))
    assert f"port {port} of 127.0.0.1 is taken" in error


def test_a_missing_module_is_named(site):
    error = said(run("serve", "no_such_site:app", cwd=site))
    assert error == f"Error: there is no module 'no_such_site', neither installed nor in {site}\n"


def test_a_missing_folder_of_modules_is_named(site):
    assert "there is no module 'nowhere.site'" in said(run("serve", "nowhere.site:app", cwd=site))


@pytest.mark.parametrize("line", ["import no_such_package", "raise RuntimeError('on purpose')"])
def test_a_package_that_fails_to_import_is_shown_with_its_traceback(site, line):
    (site / "broken").mkdir()
    (site / "broken" / "__init__.py").write_text(line)
    (site / "broken" / "site.py").write_text(APPLICATION)
    done = run("serve", "broken.site:app", "--port=0", "--workers=1", cwd=site)
    assert done.returncode not in (0, 2)
    assert line in done.stderr


@pytest.mark.parametrize("application", [":app", "--reload"])
def test_the_application_comes_first(site, application):
    assert "as MODULE:APP" in said(run("serve", application, "small_site:app", cwd=site))


@pytest.mark.parametrize("address", ["localhost", "localhost:http", "localhost:70000"])
def test_an_address_that_is_none(site, address):
    assert "HOST:PORT or unix:PATH" in said(run("serve", "small_site:app", f"--bind={address}", cwd=site))


def test_a_host_that_is_not_this_machine(site):
    error = said(run("serve", "small_site:app", "--host=192.0.2.1", cwd=site))
    assert "cannot listen on port 8000 of 192.0.2.1: " in error


def test_a_wrong_setting_is_one_line(site):
    error = said(run("serve", "small_site:app", cwd=site, WSGIPERF_COMPRESSION_GZIP_LEVEL="high"))
    assert "WSGIPERF_COMPRESSION_GZIP_LEVEL: expected a whole number from 1 to 9" in error


@pytest.mark.parametrize("option", [["-c", "mine.py"], ["-cmine.py"], ["--config=mine.py"]])
def test_a_configuration_of_ones_own_is_not_passed_over_in_silence(site, option):
    error = said(run("serve", "small_site:app", *option, cwd=site))
    assert "install(globals())" in error


def test_without_gunicorn_it_says_what_to_install(site):
    error = said(run("serve", "small_site:app", cwd=site, command=without("gunicorn")))
    assert error == 'Error: serve needs gunicorn: pip install "wsgiperf[gunicorn]"\n'
