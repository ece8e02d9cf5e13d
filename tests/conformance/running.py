"""Runs one case against one site, and says what was otherwise."""

from __future__ import annotations

import re
import threading
import time
from email.utils import formatdate
from math import ceil
from time import gmtime, strftime

from servers.client import Answer as Response

from .case import Case, Exchange, Expected
from .served import Site

HOST = "conformance.test"
CONDITIONS = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range")
STEP = 0.001  # seconds from one exchange to the next, besides what the case waits
PLACEHOLDER = re.compile(r"\{(t|now)([+-]\d+)?(?::(850|asctime))?\}|\{got:(\d+):([\w-]+)\}|\{(url|site)\}")


class Run:
    """One case on its way: what was said and answered so far."""

    def __init__(self, case: Case, site: Site, patience: float = 30.0) -> None:
        self.case, self.site, self.patience = case, site, patience
        self.path = f"/{case.options}{case.prefix}/{case.name}"
        # On a whole second: which one a moment belongs to is the same in every run.
        site.time = float(ceil(site.time))
        self.began = int(site.time)
        self.bodies: list[str] = []
        self.responses: list[Response] = []

    def run(self) -> None:
        for number, exchange in enumerate(self.case.exchanges, 1):
            try:
                self._exchange(number, exchange)
            except AssertionError as error:
                error.add_note(f"in exchange {number} of {self.case.name}")
                raise

    def _exchange(self, number: int, exchange: Exchange) -> None:
        self.site.time += exchange.wait + STEP
        body = exchange.answer.body
        self.bodies.append(f"answer {number:02} of {self.case.name}" if body is None else body)
        answer = {
            "status": exchange.answer.status,
            "fields": [self._field(line) for line in exchange.answer.fields],
            "body": self.bodies[-1],
            "manner": exchange.answer.manner,
        }
        self._until_expected(number, exchange, answer)

    def _until_expected(self, number: int, exchange: Exchange, answer: dict) -> None:
        """Once; where it only has to be so in the end, until then."""
        deadline = time.monotonic() + self.patience
        while True:
            self.site.say(self.case.name, answer, exchange.together)
            responses = self._ask(exchange)
            try:
                self._check(number, exchange, responses)
            except AssertionError:
                if not exchange.expect.eventually or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                self.responses.append(responses[0])
                return

    # -- asking

    def _ask(self, exchange: Exchange) -> list[Response]:
        target = self._filled(exchange.target) if exchange.target else self.path + exchange.path
        host = HOST if exchange.host is None else exchange.host
        lines = [f"Host: {host}", *(self._filled(line) for line in exchange.sends)]
        responses: list[Response] = []

        def ask() -> None:
            responses.append(self.site.ask(exchange.method, target, lines, exchange.body))

        clients = [threading.Thread(target=ask) for _ in range(exchange.together - 1)]
        for client in clients:
            client.start()
        ask()
        for client in clients:
            client.join()
        assert len(responses) == exchange.together, "a client got no response"
        return responses

    def _field(self, line: str) -> tuple[str, str]:
        name, _, value = self._filled(line).partition(":")
        return name, value.strip(" ")

    def _filled(self, line: str) -> str:
        return PLACEHOLDER.sub(self._placeholder, line)

    def _placeholder(self, match: re.Match[str]) -> str:
        start, delta, form, number, name, place = match.groups()
        if place:
            return self.path if place == "url" else f"http://{HOST}"
        if number:
            return self.responses[int(number) - 1].get(name) or ""
        seconds = (self.began if start == "t" else int(self.site.time)) + int(delta or 0)
        if form == "850":
            return strftime("%A, %d-%b-%y %H:%M:%S GMT", gmtime(seconds))
        if form == "asctime":
            moment = gmtime(seconds)
            return strftime("%a %b ", moment) + f"{moment.tm_mday:2}" + strftime(" %H:%M:%S %Y", moment)
        return formatdate(seconds, usegmt=True)

    # -- checking

    def _check(self, number: int, exchange: Exchange, responses: list[Response]) -> None:
        expect = exchange.expect
        least, most = _calls(expect, len(responses))
        # Who answers has been asked before; only what runs in the background may come later.
        awaited = least if expect.also_calls else 0
        seen = self.site.seen(self.case.name, awaited, self.patience)
        assert least <= len(seen) <= most, (
            f"the application was asked {len(seen)} times, not {least} to {most}"
        )
        self._check_seen(exchange, seen)
        for response in responses:
            self._check_response(number, exchange, response)
        self._check_cache_status(expect, responses)

    def _check_response(self, number: int, exchange: Exchange, response: Response) -> None:
        expect = exchange.expect
        expected, body = self._expected(number, exchange)
        assert expect.status is None or response.status in _statuses(expect.status), response.status
        if expect.status is None and expect.source not in ("either", "origin"):
            assert response.status == expected
        assert response.complete == expect.complete, "the body's framing"
        text = response.content.decode("latin-1")
        if body is not None and expect.complete:
            assert text == (body if response.has_body else "")
        if exchange.method == "HEAD":
            assert text == ""
        for part in expect.contains:
            assert part in text
        _check_fields(response, tuple(map(self._filled, expect.has)), expect.lacks)
        if expect.age:
            ages = response.all("Age")
            assert len(ages) == 1, f"Age: {ages}"
            assert re.fullmatch("[0-9]+", ages[0]), f"Age: {ages}"
            assert expect.age[0] <= int(ages[0]) <= expect.age[1], f"Age: {ages[0]}"

    def _expected(self, number: int, exchange: Exchange) -> tuple[int, str | None]:
        """The status and body, as far as the case does not say otherwise."""
        expect = exchange.expect
        own = exchange.answer
        stored = self.case.exchanges[expect.of - 1].answer
        from_store = expect.source in ("hit", "stale") or (expect.source == "validated" and own.status == 304)
        status = stored.status if from_store else own.status
        if expect.body is not None or expect.source in ("either", "origin") or expect.contains:
            return status, expect.body
        if expect.status in (304, 412, 416, 504):
            return status, "" if expect.status == 304 else None
        return status, self.bodies[(expect.of if from_store else number) - 1]

    def _check_cache_status(self, expect: Expected, responses: list[Response]) -> None:
        if expect.cache_status:
            assert any(_says(response, expect.cache_status) for response in responses), [
                response.get("Cache-Status") for response in responses
            ]
        for response in responses:
            line = response.get("Cache-Status")
            if line and expect.source in ("hit", "miss") and response.status != 504:
                assert ("hit" in _members(line)) == (expect.source == "hit"), line

    def _check_seen(self, exchange: Exchange, seen: list[dict]) -> None:
        expect = exchange.expect
        sent = {line.partition(":")[0].lower() for line in exchange.sends}
        for asked in seen:
            fields = asked["fields"]
            for line in map(self._filled, expect.seen):
                name, colon, value = line.partition(":")
                assert name.lower() in fields, f"the application was not sent {name}"
                assert not colon or fields[name.lower()] == value.strip(), fields[name.lower()]
            for name in expect.unseen:
                assert name.lower() not in fields, f"the application was sent {name}"
            assert expect.method is None or asked["method"] == expect.method
            if expect.source == "miss":
                added = [name for name in CONDITIONS if name in fields and name not in sent]
                assert not added, f"conditions that the client did not send: {added}"


def _calls(expect: Expected, clients: int) -> tuple[int, int]:
    """How many calls of the application there are, at least and at most."""
    if expect.calls:
        return expect.calls[0], expect.calls[-1]
    if expect.source == "hit":
        return expect.also_calls, expect.also_calls
    if expect.source == "either":
        return 0, 2 * clients
    if expect.source == "origin":
        return 1, 2 * clients
    return 1, 1


def _statuses(status: int | tuple[int, ...]) -> tuple[int, ...]:
    return (status,) if isinstance(status, int) else status


def _check_fields(response: Response, has: tuple[str, ...], lacks: tuple[str, ...]) -> None:
    for line in has:
        name, colon, value = line.partition(":")
        values = response.all(name)
        assert values, f"no {name} in {response.fields}"
        assert not colon or value.strip() in (*values, ", ".join(values)), f"{name} is {values}"
    for line in lacks:
        name, colon, value = line.partition(":")
        values = response.all(name)
        if colon:
            assert value.strip() not in values, f"{name} is {values}"
        else:
            assert not values, f"{name} is {values}"


def _members(line: str) -> dict[str, str]:
    """What the cache nearest to the client says in Cache-Status: parameters, empty where they are flags."""
    last = re.sub(r'"[^"]*"', "", line).split(",")[-1]
    parameters = [part.strip() for part in last.split(";")[1:]]
    return {part.partition("=")[0]: part.partition("=")[2] for part in parameters}


def _says(response: Response, expected: tuple[str, ...]) -> bool:
    members = _members(response.get("Cache-Status") or "")
    return bool(response.get("Cache-Status")) and all(_holds(members, item) for item in expected)


def _holds(members: dict[str, str], item: str) -> bool:
    if item.startswith("!"):
        return item[1:] not in members
    name, equals, value = item.partition("=")
    if not equals:
        return name in members
    least, dots, most = value.partition("..")
    if not dots:
        return members.get(name) == value
    number = members.get(name, "")
    return number.lstrip("-").isdigit() and int(least) <= int(number) <= int(most)
