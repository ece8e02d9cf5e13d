"""What is remembered, and how much at most."""

from __future__ import annotations

from wsgiperf.http.memo import LONGEST_QUESTION, MOST_ANSWERS, memoised


def test_a_question_is_answered_once() -> None:
    """The second time the answer comes from memory; None is a question like any other."""
    asked: list[str | None] = []

    def answer(question: str | None) -> int:
        asked.append(question)
        return len(asked)

    ask = memoised(answer)
    assert [ask("a"), ask(None), ask("a"), ask(None)] == [1, 2, 1, 2]
    assert asked == ["a", None]


def test_long_questions_are_not_kept() -> None:
    """A client can't fill memory with long keys."""
    asked: list[str] = []
    ask = memoised(asked.append)
    longest = "x" * LONGEST_QUESTION
    for question in (longest, longest, longest + "x", longest + "x"):
        ask(question)
    assert asked == [longest, longest + "x", longest + "x"]


def test_a_full_memory_starts_over() -> None:
    """Neither can it with many, nor keep the questions of others out."""
    asked: list[str] = []
    ask = memoised(asked.append)
    for number in range(MOST_ANSWERS + 1):
        ask(str(number))
    ask("0")
    ask("0")
    assert len(asked) == MOST_ANSWERS + 2
