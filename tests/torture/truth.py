"""What the collection must hold, as far as its clients can know it.

Every change belongs to one writer, which makes one change at a time to an item of its own. A change
that was acknowledged has happened, one that was refused has not; of one whose answer was lost,
either is possible until the item has been looked at, and then it holds for everything that the
change was about.
"""

import collections
import dataclasses
import threading
import time

PIECE, RECORDING = "piece", "recording"


@dataclasses.dataclass(frozen=True)
class State:
    """What an item is: `content` names a file of the material. `title` is another for each
    change."""

    content: str
    title: str
    composer: str = ""
    collection: str = ""
    piece_id: str = ""  # of a recording
    version: int = 0  # 0: not known
    work_id: str = ""  # of a piece


@dataclasses.dataclass
class Change:
    """`after` holds, by (kind, id), what each item it touches becomes; None is absence."""

    after: dict
    quick: bool = False  # nothing is embedded for it


class Truth:
    """Safe from any thread."""

    def __init__(self, items):
        self._lock = threading.Lock()
        self._items = dict(items)  # (kind, id) -> State or None
        self._pending = {}  # (kind, id) -> Change
        # (kind, id) -> when it last may have changed
        self._changed = collections.defaultdict(float)
        self.last_version = 0
        self.acknowledged = 0  # changes
        self.resolved = {True: 0, False: 0}  # lost answers: had happened, had not

    def get(self, kind, name):
        with self._lock:
            return self._items.get((kind, name))

    def pending(self, kind, name):
        with self._lock:
            return self._pending.get((kind, name))

    def present(self, kind):
        """Names of the items of a kind that are there, those under change left out."""
        with self._lock:
            return [name for (of, name), state in self._items.items()
                    if of == kind and state is not None and (of, name) not in self._pending]

    def names(self):
        """Every item that ever was, as (kind, id)."""
        with self._lock:
            return list(self._items)

    def is_quick_change_pending(self):
        with self._lock:
            return any(change.quick for change in self._pending.values())

    def begin(self, after, quick=False):
        change = Change(dict(after), quick)
        with self._lock:
            for key in change.after:
                assert key not in self._pending, f"{key} is under change already"
                self._pending[key] = change
                self._items.setdefault(key, None)
        return change

    def acknowledge(self, change, version=None):
        """It has happened, says the service."""
        with self._lock:
            self.acknowledged += 1
            self._settle(change, True, version)
            if version is not None:
                self.last_version = max(self.last_version, version)

    def refuse(self, change):
        with self._lock:
            self._settle(change, False, None)

    def resolve(self, change, happened, version=None):
        """What became of a change whose answer was lost."""
        with self._lock:
            self.resolved[happened] += 1
            self._settle(change, happened, version)

    def _settle(self, change, happened, version):
        now = time.monotonic()
        for key, state in change.after.items():
            del self._pending[key]
            if happened:
                if state is not None and version is not None:
                    state = dataclasses.replace(state, version=version)
                self._items[key] = state
            self._changed[key] = now

    def may_be_there(self, kind, name, since):
        """Whether an answer to a question asked at `since` may name this item."""
        with self._lock:
            key = (kind, name)
            return (self._items.get(key) is not None or key in self._pending
                    or self._changed[key] >= since)
