"""A telephone network of invented people, for tests, benches and trials: SIP and RTP on this machine only.

with simulated_telephones.running() as network:      # a trunk to 127.0.0.1:network.port reaches it
    call = network.last_call("5512340001")           # .state, .status, .answered_at, .heard.tones, .heard.keys
    network.press(call, "3")                         # keys by RFC 4733
    network.hang_up(call)
    network.call_in(("127.0.0.1", sip_port), "5512340000", "5587654321")
"""

from scripts.simulated_telephones.behaviour import BEHAVIOURS, Behaviour
from scripts.simulated_telephones.call import Call
from scripts.simulated_telephones.network import Network, running

__all__ = ["BEHAVIOURS", "Behaviour", "Call", "Network", "running"]
