"""Those who wait for another's call: what lets them go, and what they then get."""

import socket
import threading
import time
from contextlib import contextmanager
from itertools import count

import pytest

from servers.client import AnswerError

from .serving import PATIENCE, asking, body_of, site, until

number = count()
TIMEOUT = 1.0  # coalesce_timeout, for tests to be quick
BIG = 200_000  # bytes of a block, far more than sockets hold between them for a handful of blocks


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    options = {"coalesce_timeout": TIMEOUT, "maximum_body_size": 2**24}
    with site(tmp_path_factory.mktemp("waiting"), options=options) as served:
        yield served


def a_page():
    return f"/page{next(number)}"


class Client(threading.Thread):
    """Reads an answer, and when each piece of it came."""

    def __init__(self, served, target, *fields):
        super().__init__(daemon=True)
        self.connection = served.connect()
        self.connection.send(asking(target, *fields))
        self.answer, self.content, self.first, self.error = None, b"", threading.Event(), None
        self.start()

    def run(self):
        try:
            self.answer = self.connection.head()
            for piece in self.connection.contents(self.answer):
                self.content += piece
                self.first.set()
        except (AnswerError, OSError) as error:
            self.error = error

    def done(self):
        self.join(PATIENCE)
        assert not self.is_alive()
        assert self.error is None, self.error
        assert self.answer.complete
        return self.content


@contextmanager
def a_leader_and(served, target, waiters, leader=None):
    """A request whose call has begun, and then others that came after it."""
    page = target.partition("?")[0]
    first = leader or Client(served, target)
    until(lambda: served.calls(page) == 1)
    others = [Client(served, target) for _ in range(waiters)]
    until(lambda: served.asked(page) == 1 + waiters)
    yield first, others
    for client in (first, *others):
        if isinstance(client, Client):
            client.connection.leave()


# -- what is not to be shared


@pytest.fixture
def patient(tmp_path):
    """Where nobody goes on because of the time limit."""
    with site(tmp_path, options={"coalesce_timeout": 300}) as served:
        yield served


def test_an_uncacheable_answer_serialises_nobody(patient):
    """All are in the application at once: at first when the leader is through, later without waiting."""
    page = a_page()
    target = f"{page}?each=x&cc=no-store"
    with a_leader_and(patient, target, 9) as (leader, others):
        patient.open("x-1")
        assert leader.done() == body_of(page)
        until(lambda: patient.calls(page) == 10)
        again = [Client(patient, target) for _ in range(10)]
        until(lambda: patient.calls(page) == 20)
        for call in range(2, 21):
            patient.open(f"x-{call}")
        assert {client.done() for client in (*others, *again)} == {body_of(page)}
        for client in again:
            client.connection.leave()
    assert patient.calls(page) == 20


def test_an_uncacheable_stream_releases_at_its_head(served):
    """Not only at its end: the others are through before the leader's last block may be made."""
    page = a_page()
    target = f"{page}?gate={page[1:]}&cc=private&blocks=2&gates=g{page[1:]}"
    with a_leader_and(served, target, 3) as (leader, others):
        served.open(page[1:])
        for client in (leader, *others):
            assert client.first.wait(PATIENCE)
        assert served.calls(page) == 4
        served.open(f"g{page[1:]}-1")
        assert {client.done() for client in (leader, *others)} == {body_of(page, blocks=2)}


@pytest.mark.parametrize("kind", ["whole", "stream"])
def test_no_cache_is_answered_to_each_by_a_call_of_its_own(served, kind):
    """RFC 9111 section 5.2.2.4: it may be personal, and the application said that it wants to be asked."""
    page = a_page()
    blocks = "&blocks=2" if kind == "stream" else ""
    target = f'{page}?gate={page[1:]}&cc=no-cache&etag="x"{blocks}'
    with a_leader_and(served, target, 3) as (leader, others):
        served.open(page[1:])
        for client in (leader, *others):
            client.done()
        assert sorted(client.answer.get("X-Call") for client in (leader, *others)) == ["1", "2", "3", "4"]


def test_what_was_purged_meanwhile_is_not_given_to_who_comes_after(served):
    page = a_page()
    target = f"{page}?gate={page[1:]}"
    with a_leader_and(served, target, 2) as (leader, others):
        assert served.purge("prefix", page).startswith("met")
        late = Client(served, target)
        until(lambda: served.calls(page) == 2)
        served.open(page[1:])
        assert late.done() == leader.done() == others[0].done() == body_of(page)
        assert late.answer.get("X-Call") == "2"
        assert {client.done() for client in others} == {body_of(page)}
        assert {client.answer.get("X-Call") for client in others} <= {"1", "2"}
        assert served.ask(target).get("X-Call") == "2"


# -- a leader in trouble


@pytest.mark.parametrize("blocks", ["", "&blocks=3"], ids=["whole", "stream"])
def test_a_leader_that_fails_lets_the_others_go(served, blocks):
    page = a_page()
    target = f"{page}?gate={page[1:]}&fail=1{blocks}"
    with a_leader_and(served, target, 3) as (leader, others):
        served.open(page[1:])
        blocks = 3 if blocks else 1
        assert {client.done() for client in others} == {body_of(page, blocks=blocks)}
        leader.join(PATIENCE)
        assert leader.error or leader.answer.status == 500 or not leader.answer.complete
        leader.connection.leave()  # gunicorn waits for that, for a while, before it goes on
        assert served.ask(target).content == body_of(page, blocks=blocks)


def test_a_leader_that_takes_too_long_holds_nobody_longer_than_the_timeout(served):
    """Each waiter then goes to the application by itself; who comes later finds what they stored."""
    page = a_page()
    with a_leader_and(served, f"{page}?gate={page[1:]}", 3) as (_, others):
        until(lambda: served.calls(page) == 4, TIMEOUT + 2)
        served.open(page[1:])
        assert {client.done() for client in others} == {body_of(page)}


def stalled_leader(served, target, room=4096):
    """A client that asks and doesn't read, but what the kernel has room for."""
    client = served.connect()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    client.send(asking(target))
    return client


def test_a_stalled_leader_of_a_whole_body_holds_nobody(served):
    """It is stored before the first byte goes out."""
    page = a_page()
    target = f"{page}?gate={page[1:]}&size=8000000"
    with a_leader_and(served, target, 3, stalled_leader(served, target)) as (_, others):
        served.open(page[1:])
        for client in others:
            assert client.done() == body_of(page, 8_000_000)
        assert served.calls(page) == 1


def test_a_stalled_leader_of_a_stream_holds_nobody_longer_than_the_timeout(served):
    page = a_page()
    target = f"{page}?blocks=40&size={BIG}&gate={page[1:]}"
    with a_leader_and(served, target, 2, stalled_leader(served, target)) as (_, others):
        served.open(page[1:])
        begun = time.monotonic()
        for client in others:
            assert client.done() == body_of(page, BIG, 40)
        assert time.monotonic() - begun < TIMEOUT + 3
        assert served.calls(page) == 3
        # Nobody comes to wait for it any more: the next one leads anew, and that is stored.
        begun = time.monotonic()
        assert served.ask(target).content == body_of(page, BIG, 40)
        assert served.calls(page) == 4
        assert served.ask(target).content == body_of(page, BIG, 40)
        assert served.calls(page) == 4


def test_a_slow_leader_holds_nobody_longer_than_the_timeout_in_all(served):
    """Each single block comes in time; together they would take far longer."""
    page = a_page()
    target = f"{page}?blocks=80&size={BIG}&gate={page[1:]}"
    slow = stalled_leader(served, target, 500_000)
    with a_leader_and(served, target, 2, slow) as (_, others):
        served.open(page[1:])
        while any(client.is_alive() for client in others):
            # A server's socket is writable again when a third of its buffer is free: about a megabyte.
            slow.sock.recv(400_000, socket.MSG_WAITALL)
            time.sleep(TIMEOUT / 6)
        assert {client.done() for client in others} == {body_of(page, BIG, 80)}
        assert served.calls(page) == 3


# -- streams


def test_waiters_read_along_with_a_stream(served):
    """The first block reaches all before the second is made; one call for all; and it is stored."""
    page = a_page()
    target = f"{page}?blocks=3&gate={page[1:]}&gates=g{page[1:]}"
    with a_leader_and(served, target, 4) as (leader, others):
        served.open(page[1:])
        for client in (leader, *others):
            assert client.first.wait(PATIENCE)
        late = Client(served, target)
        assert late.first.wait(PATIENCE)
        assert {client.content for client in (leader, late, *others)} == {body_of(page)}
        served.open(f"g{page[1:]}-1")
        served.open(f"g{page[1:]}-2")
        assert {client.done() for client in (leader, late, *others)} == {body_of(page, blocks=3)}
        assert served.calls(page) == 1
    assert served.ask(target).content == body_of(page, blocks=3)
    assert served.calls(page) == 1


def test_a_leader_that_leaves_leaves_nothing_half_stored(served):
    """With nobody waiting the application is closed at the next block."""
    page = a_page()
    target = f"{page}?blocks=4000&pause=0.01&size=20000"
    leader = Client(served, target)
    assert leader.first.wait(PATIENCE)
    leader.connection.leave(reset=True)
    made = served.made(page)
    until(lambda: served.noted("closed", page))
    assert served.made(page) - made < 100  # which would be a second's
    again = Client(served, target)
    until(lambda: served.calls(page) == 2)
    again.connection.leave(reset=True)


def test_a_leader_that_leaves_is_read_on_for_those_who_wait(served):
    """All but the first block comes afterwards: it is read to the end, for all, and stored."""
    page = a_page()
    target = f"{page}?blocks=11&pause=0.01&size={BIG}&gate={page[1:]}&gates=g{page[1:]}"
    with a_leader_and(served, target, 3) as (leader, others):
        served.open(page[1:])
        for client in (leader, *others):
            assert client.first.wait(PATIENCE)
        leader.connection.leave(reset=True)
        for block in range(10, 0, -1):  # the one that is waited for last: then they come without delay
            served.open(f"g{page[1:]}-{block}")
        assert {client.done() for client in others} == {body_of(page, BIG, 11)}
        assert served.ask(target).content == body_of(page, BIG, 11)
        assert served.calls(page) == 1


def test_a_leader_that_leaves_is_read_on_for_a_second_only(served):
    """The application is closed within that; the others go on by a call of their own, unnoticed."""
    page = a_page()
    target = f"{page}?blocks=80&pause=0.05&size={BIG}&gate={page[1:]}"
    with a_leader_and(served, target, 2) as (leader, others):
        served.open(page[1:])
        for client in (leader, *others):
            assert client.first.wait(PATIENCE)
        leader.connection.leave(reset=True)
        made = served.made(page)
        until(lambda: served.noted("closed", page))
        assert served.made(page) - made < 30  # a second and a half's
        assert {client.done() for client in others} == {body_of(page, BIG, 80)}
        assert served.calls(page) == 3


def test_a_follower_that_leaves_disturbs_nobody(served):
    page = a_page()
    target = f"{page}?blocks=3&gate={page[1:]}&gates=g{page[1:]}"
    with a_leader_and(served, target, 3) as (leader, others):
        served.open(page[1:])
        assert others[0].first.wait(PATIENCE)
        others[0].connection.leave(reset=True)
        served.open(f"g{page[1:]}-1")
        served.open(f"g{page[1:]}-2")
        assert {client.done() for client in (leader, *others[1:])} == {body_of(page, blocks=3)}
        assert served.calls(page) == 1
