"""Parts that write down what they see."""

from __future__ import annotations

from collections.abc import Callable

from wsgiperf import Exchange, Middleware, Response


class Recorder(Middleware):
    """Writes each moment into `log`, and fails or answers where it is told to.

    :param fails: the moment in which it raises: request, response or close.
    :param answer: makes the response it answers with.
    """

    def __init__(
        self,
        name: str,
        log: list[str],
        *,
        fails: str = "",
        answer: Callable[[], Response] | None = None,
        kind: str | None = None,
        skippable: bool = False,
    ) -> None:
        self.name, self.log, self.fails, self.answer = name, log, fails, answer
        self.kind, self.skippable = kind, skippable
        super().__init__()

    def on_request(self, exchange: Exchange) -> Response | None:
        self._moment("request")
        return None if self.answer is None else self.answer()

    def on_response(self, exchange: Exchange, response: Response) -> None:
        self._moment("response")

    def on_close(self, exchange: Exchange) -> None:
        self._moment("close")

    def _moment(self, moment: str) -> None:
        self.log.append(f"{moment} {self.name}")
        if self.fails == moment:
            raise RuntimeError(f"{self.name} fails")


class Seen(Middleware):
    """Keeps the exchanges of all requests, and what `look` found in each at its end."""

    def __init__(self, look: Callable[[Exchange], object] = lambda exchange: None) -> None:
        self.exchanges: list[Exchange] = []
        self.found: list[object] = []
        self.look = look
        super().__init__()

    def on_request(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def on_close(self, exchange: Exchange) -> None:
        self.found.append(self.look(exchange))


class Changing(Middleware):
    """Does something to the response."""

    def __init__(self, change: Callable[[Response], object]) -> None:
        self.change = change
        super().__init__()

    def on_response(self, exchange: Exchange, response: Response) -> None:
        self.change(response)
