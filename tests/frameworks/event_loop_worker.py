"""A worker class like uvicorn's: made for an event loop, loads its application as any other worker does."""

from gunicorn.workers.sync import SyncWorker


class Worker(SyncWorker):
    """Answers by what its coroutine would have done."""

    async def _serve(self):
        raise NotImplementedError
