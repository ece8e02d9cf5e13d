import pytest
from hypothesis import HealthCheck, settings

from wsgiperf.monitor.sampling.sampler import Sampler

# How long an example takes is the machine's doing: what else runs on it may take the processor away amid one.
settings.register_profile("no clock", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")


@pytest.fixture(autouse=True, scope="module")
def nothing_beside(request):
    """The monitor's sampler of this process rests where it isn't what is tested.

    Tests that measure memory would find its figures of a second among their own.
    """
    if "monitor" in request.path.as_posix().partition("/tests/")[2]:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sampler, "step", lambda self, now: False)
        yield
