"""Every part keeps the contract: alone, twice, with every other on either side, and all together."""

from __future__ import annotations

import pytest

from wsgiperf.testing import Level, Request, WSGIContract
from wsgiperf.testing.applications import AWKWARD
from wsgiperf.testing.decoding import DECODABLE
from wsgiperf.testing.trial import run

from .parts import WRAPS


class TestParts(WSGIContract):
    levels = tuple(Level)
    examples = 40

    @pytest.fixture(params=WRAPS.values(), ids=WRAPS.keys(), autouse=True)
    def part(self, request):
        self.wrap = request.param


@pytest.mark.parametrize("coding", DECODABLE)
@pytest.mark.parametrize("name", ["a page", "a streamed page", "a text file"])
def test_the_contract_sees_encoded_responses(name, coding):
    """The rules about encoding are not kept for want of any: the whole stack encodes what the table holds."""
    request = Request(fields=(("Accept-Encoding", coding),))
    assert run(WRAPS["everything"], AWKWARD[name], request).codings == [coding]
