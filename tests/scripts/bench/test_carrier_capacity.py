"""The bare loop against a carrier of its own."""

import pytest
import requests

from scripts.bench.carrier_capacity import bare_carrier, bare_rate


# twilio 9.13 builds aiohttp's BasicAuth itself; nothing of ours can change that.
@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning")
def test_the_bare_loop_sends_to_each_phone_once() -> None:
    with bare_carrier() as url:
        assert bare_rate(url, messages=60, in_flight=5) > 0
        found = requests.get(f"{url}/control/received", timeout=5).json()
    assert (found["accepted"], found["waiting"]) == (60, 0)
    assert found["most"] <= 1
