"""Our own Asterisk: found or set up, configured from templates, started and stopped.

with scripts.asterisk.running(folder) as instance:
    instance.ports.ami, instance.secrets["worker"], instance.ws_url, instance.spool
"""

from scripts.asterisk.configuration import Wishes
from scripts.asterisk.installation import NotInstalled, find
from scripts.asterisk.instance import Instance, prepare, running
from scripts.asterisk.ports import NoPorts

__all__ = ["Instance", "NoPorts", "NotInstalled", "Wishes", "find", "prepare", "running"]
