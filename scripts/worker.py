"""A worker: takes jobs from Redis and runs them in this process, heavy imports done before the first one."""

import argparse
import logging
import os
import socket
import threading
import time
from types import FrameType

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.serializers import JSONSerializer

import wsgi
from callcenter.base import stopping
from callcenter.base.outbox import JOB_QUEUES

log = logging.getLogger(__name__)
HEARTBEAT = 5  # seconds between two signs of life while idle (callcenter.base.health reads them)
WAIT = 0.5  # seconds between two looks for a Redis that went away
STOPS_IN = 4.0  # seconds that a job gets to end after TERM; every job is harmless when cut short and run again


class Worker(SimpleWorker):
    """RQ's worker without forks, known to whoever asks for as long as it lives, and quick to stop."""

    max_connection_wait_time = 1.0  # RQ's own waiting for a lost Redis grows to a minute
    is_stopping = False

    @property
    def dequeue_timeout(self) -> int:
        return HEARTBEAT

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        # A Redis that came back empty has forgotten us, also where the end of a job has written a count of it since.
        if pipeline is None and not self.connection.hexists(self.key, "birth"):
            self.connection.delete(self.key)
            self.register_birth()
        super().heartbeat(timeout, pipeline)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.is_stopping = True
        stopping.ask()
        last_resort = threading.Timer(STOPS_IN, os._exit, (0,))
        last_resort.daemon = True
        last_resort.start()
        super().request_stop(signum, frame)

    def subscribe(self) -> None:
        """Nobody sends RQ's commands: no thread for them."""


def work(redis_url: str, queues: list[str]) -> None:
    """Run jobs until TERM or INT; a Redis that vanishes is waited for."""
    for attempt in range(1_000_000_000):
        client = Redis.from_url(redis_url, socket_timeout=HEARTBEAT + 10)  # longer than a wait for work
        _await_redis(client)
        name = f"{socket.gethostname()}.{os.getpid()}.{attempt}"
        worker = Worker(queues, connection=client, name=name, serializer=JSONSerializer, worker_ttl=60)
        try:
            worker.work(logging_level="WARNING", with_scheduler=False)
        except RedisError as error:
            log.warning("worker: Redis went away (%s); waiting for it", type(error).__name__)
        if worker.is_stopping:
            return
        time.sleep(WAIT)


def _await_redis(client: Redis) -> None:
    while True:
        try:
            client.ping()
            return
        except RedisError:
            time.sleep(WAIT)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.worker", description=__doc__)
    parser.add_argument("queues", nargs="*", default=list(JOB_QUEUES), help="in the order in which to take jobs")
    options = parser.parse_args(argv)
    settings = wsgi.start_process()
    work(settings.redis_url, options.queues)


if __name__ == "__main__":
    main()
