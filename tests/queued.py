"""Work that a test's commits left for the workers, done here and now, in the order in which it came."""

from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from callcenter.base import outbox


def run_jobs(*, rounds: int = 5) -> list[str]:
    """Run every queued job, and those that they queue; returns their names. Jobs that raise, raise here."""
    client = outbox.redis()
    done: list[str] = []
    for _ in range(rounds):
        queues = [Queue(name, connection=client, serializer=JSONSerializer) for name in outbox.JOB_QUEUES]
        waiting = [(queue, job_id) for queue in queues for job_id in queue.job_ids]
        if not waiting:
            break
        for queue, job_id in waiting:
            job = Job.fetch(job_id, connection=client, serializer=JSONSerializer)
            queue.remove(job_id)
            job.func(*job.args, **job.kwargs)
            done.append(job.func_name or "")
    return done
