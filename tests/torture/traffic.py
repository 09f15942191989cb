"""Clients under torture: writers, which know what they have done, and readers, which know what they
may be told."""

import collections
import random
import threading
import time

import grpc

from service import CALL_SECONDS
from truth import PIECE, RECORDING, State

Code = grpc.StatusCode
# The answer is lost: the change may have happened.
LOST = (Code.UNAVAILABLE, Code.CANCELLED, Code.DEADLINE_EXCEEDED, Code.UNKNOWN)


class Violation(Exception):
    """A promise of the service that was broken."""


def describe(error):
    return f"{error.code().name}: {error.details()}"


class Worker(threading.Thread):
    """Repeats `step` until told to stop; what breaks it is kept in `court`."""

    def __init__(self, name, world, seed):
        super().__init__(name=name, daemon=True)
        self.world = world
        self.random = random.Random(f"{seed} {name}")
        self.client = None

    def run(self):
        try:
            while not self.world.stopping.is_set():
                self.client = self.world.service.client()
                if self.client is None:
                    return
                self.step()
                time.sleep(self.random.uniform(0, 0.02))
        except Exception as error:  # pylint: disable=broad-except
            self.world.violation(self.name, error)

    def step(self):
        raise NotImplementedError


class World:
    """What the workers share. Safe from any thread."""

    def __init__(self, service, truth, material, stubs):
        self.service, self.truth, self.material, self.stubs = service, truth, material, stubs
        # Pieces that no writer changes; there are sounds to ask with.
        self.fixed_queries = material.base[:6]
        self.types, self.messages = stubs["types_pb2"], stubs["retrieval_pb2"]
        self.catalog, self.admin = stubs["catalog_pb2"], stubs["admin_pb2"]
        self.stopping = threading.Event()
        self.violations = []
        self.counts = collections.Counter()
        self.facts = {}  # (kind, content) -> what the server said of it first
        self._lock = threading.Lock()

    def count(self, what, times=1):
        with self._lock:
            self.counts[what] += times

    def violation(self, who, error):
        with self._lock:
            self.violations.append(f"{who}: {type(error).__name__}: {error}")
        self.stopping.set()

    def require(self, holds, message):
        if not holds:
            raise Violation(message)

    def check_facts(self, kind, content, facts):
        """A content that was added twice must have been read alike."""
        with self._lock:
            known = self.facts.setdefault((kind, content), facts)
        self.require(known == facts, f"{kind} of {content} is {facts}, and was {known}")


class Catalog:
    """Looks items up, and holds them against the truth."""

    def __init__(self, world):
        self.world = world

    def read(self, client, kind, name):
        """The item as (State without content, facts), or None when there is none. Raises
        grpc.RpcError."""
        messages = self.world.catalog
        try:
            if kind == PIECE:
                piece = client.catalog.GetPiece(messages.GetPieceRequest(piece_id=name),
                                                timeout=CALL_SECONDS).piece
                return (State("", piece.title, piece.composer, piece.collection, "", piece.version,
                              piece.work_id),
                        (piece.notes, piece.duration_seconds, piece.beats))
            request = messages.GetRecordingRequest(recording_id=name)
            recording = client.catalog.GetRecording(request, timeout=CALL_SECONDS).recording
            return (State("", recording.title, recording.composer, recording.collection,
                          recording.piece_id, recording.version), (recording.duration_seconds,))
        except grpc.RpcError as error:
            if error.code() == Code.NOT_FOUND:
                return None
            raise

    def is_as(self, kind, found, state):
        if found is None or state is None:
            return found is None and state is None
        seen, facts = found
        kept = ("title", "composer", "collection", "piece_id", "work_id")
        if any(getattr(seen, name) != getattr(state, name) for name in kept):
            return False
        if state.version and seen.version != state.version:
            return False
        self.world.check_facts(kind, state.content, facts)
        return True

    def check(self, client, kind, name):
        """The item must be as the truth says; a change of it whose answer was lost is cleared
        up."""
        truth = self.world.truth
        found = self.read(client, kind, name)
        pending = truth.pending(kind, name)
        if pending is None:
            state = truth.get(kind, name)
            self.world.require(self.is_as(kind, found, state),
                               f"{kind} {name} is {found}, acknowledged was {state}")
            return
        after = pending.after[(kind, name)]
        happened = self.is_as(kind, found, after)
        self.world.require(
            happened or self.is_as(kind, found, truth.get(kind, name)),
            f"{kind} {name} is {found}: neither {truth.get(kind, name)}, as before the change "
            f"whose answer was lost, nor {after}, as after it")
        truth.resolve(pending, happened, found[0].version if happened and found else None)


class Writer(Worker):
    """Changes items of its own, whose contents nobody else uses."""

    def __init__(self, number, world, seed, contents, sounds):
        super().__init__(f"writer {number}", world, seed)
        self.number = number
        self.contents, self.sounds = contents, sounds
        self.catalog = Catalog(world)
        self.epoch = 0
        self.changes = 0
        prefix = f"w{number}"
        self.pieces = [f"{prefix}-piece-{i}" for i in range(len(contents))]
        self.recordings = [f"{prefix}-recording-{i}" for i in range(len(sounds))]

    def adopt(self, pieces):
        """Pieces of the base that this writer may change, too; their contents are its own."""
        self.pieces += pieces

    def keys(self):
        return ([(PIECE, name) for name in self.pieces] +
                [(RECORDING, name) for name in self.recordings])

    def step(self):
        try:
            if self.client.epoch != self.epoch:
                for kind, name in self.keys():
                    self.catalog.check(self.client, kind, name)
                self.epoch = self.client.epoch
            self.change_something()
        except grpc.RpcError as error:
            # A question, not a change: it may be asked again.
            self.world.require(error.code() in LOST or error.code() == Code.RESOURCE_EXHAUSTED,
                               describe(error))
            time.sleep(0.05)

    def change_something(self):
        present = [name for name in self.pieces if self.world.truth.get(PIECE, name)]
        absent = [name for name in self.pieces if name not in present]
        recordings = [name for name in self.recordings if self.world.truth.get(RECORDING, name)]
        choices = []
        if absent and self.free(PIECE):
            choices += [self.add_piece] * 5 + [self.add_several] * 2
        if present:
            choices += [self.rename_piece] * 4 + [
                self.rewrite_piece, self.delete_piece, self.delete_piece, self.ask_the_impossible
            ]
        if present and len(recordings) < len(self.recordings):
            choices += [self.add_recording]
        if recordings:
            choices += [self.rename_recording, self.rename_recording, self.delete_recording]
        self.random.choice(choices)(present, absent, recordings)

    def free(self, kind):
        """Contents that no item has or may have."""
        truth = self.world.truth
        used = set()
        for name in self.pieces if kind == PIECE else self.recordings:
            states = [truth.get(kind, name)]
            pending = truth.pending(kind, name)
            if pending:
                states.append(pending.after[(kind, name)])
            used |= {state.content for state in states if state}
        return [
            content for content in (self.contents if kind == PIECE else self.sounds)
            if content not in used
        ]

    def new_state(self, content, piece_id=None):
        """Of a recording where `piece_id` is given, of a piece where it is not."""
        self.changes += 1
        work_id = self.random.choice(("", "work 1", "work 2")) if piece_id is None else ""
        return State(content, f"{content} {self.number}.{self.changes}",
                     f"Composer {self.random.randrange(5)}", f"writer-{self.number}",
                     piece_id or "", work_id=work_id)

    def make(self, after, call, version, quick=False):
        """Makes a change. `version` takes its version from the answer."""
        truth = self.world.truth
        before = truth.last_version
        change = truth.begin(after, quick)
        try:
            answer = call()
        except grpc.RpcError as error:
            self.lost_or_refused(change, error)
            return
        truth.acknowledge(change, version(answer))
        self.world.require(
            version(answer) > before,
            f"version {version(answer)} of a change, when {before} was acknowledged before it "
            "began")

    def lost_or_refused(self, change, error):
        if error.code() in LOST:
            self.world.count("answers lost")
            self.epoch = 0  # look at everything again
        else:
            self.world.require(error.code() == Code.RESOURCE_EXHAUSTED,
                               f"{change.after}: {describe(error)}")
            self.world.truth.refuse(change)
            self.world.count("writes refused")
            time.sleep(0.1)

    def add_request(self, name, state):
        messages = self.world.catalog
        return messages.AddPieceRequest(
            piece=messages.NewPiece(id=name, title=state.title, composer=state.composer,
                                    collection=state.collection, work_id=state.work_id),
            score=self.world.types.Score(midi=self.world.material.midi[state.content]))

    def add_piece(self, _present, absent, _recordings):
        name = self.random.choice(absent)
        state = self.new_state(self.random.choice(self.free(PIECE)))
        self.make({(PIECE, name): state},
                  lambda: self.client.catalog.AddPiece(self.add_request(name, state),
                                                       timeout=CALL_SECONDS),
                  lambda answer: answer.piece.version)

    def add_several(self, _present, absent, _recordings):
        """In one stream; each piece is a change of its own."""
        contents = self.free(PIECE)
        number = min(len(contents), len(absent), self.random.randint(2, 5))
        truth = self.world.truth
        states = {name: self.new_state(content) for name, content in
                  zip(self.random.sample(absent, number), self.random.sample(contents, number))}
        changes = [truth.begin({(PIECE, name): state}) for name, state in states.items()]
        requests = [self.add_request(name, state) for name, state in states.items()]
        answered = 0
        try:
            for answer in self.client.catalog.AddPieces(iter(requests), timeout=CALL_SECONDS):
                self.world.require(answer.index == answered,
                                   f"answer {answer.index} of a stream came as the {answered}th")
                change = changes[answered]
                answered += 1
                if answer.WhichOneof("result") == "piece":
                    truth.acknowledge(change, answer.piece.version)
                else:
                    self.world.require(answer.error.code == Code.RESOURCE_EXHAUSTED.value[0],
                                       str(answer.error))
                    truth.refuse(change)
                    self.world.count("writes refused")
            self.world.require(answered == number,
                               f"{answered} answers to a stream of {number} pieces")
        except grpc.RpcError as error:
            self.world.require(error.code() in LOST or error.code() == Code.RESOURCE_EXHAUSTED,
                               describe(error))
            self.world.count("answers lost", number - answered)
            self.epoch = 0

    def expected_version(self, state):
        if state.version and self.random.random() < 0.5:
            return {"expected_version": state.version}
        return {}

    def rename_piece(self, present, _absent, _recordings):
        name = self.random.choice(present)
        old = self.world.truth.get(PIECE, name)
        state = self.new_state(old.content)
        request = self.world.catalog.UpdatePieceRequest(
            piece_id=name, title=state.title, composer=state.composer, collection=state.collection,
            work_id=state.work_id,
            **self.expected_version(old))
        self.make({(PIECE, name): state},
                  lambda: self.client.catalog.UpdatePiece(request, timeout=CALL_SECONDS),
                  lambda answer: answer.piece.version, quick=True)

    def rewrite_piece(self, present, _absent, _recordings):
        contents = self.free(PIECE)
        if not contents:
            return
        name = self.random.choice(present)
        state = self.new_state(self.random.choice(contents))
        request = self.world.catalog.UpdatePieceRequest(
            piece_id=name, title=state.title, composer=state.composer, collection=state.collection,
            work_id=state.work_id,
            score=self.world.types.Score(midi=self.world.material.midi[state.content]))
        self.make({(PIECE, name): state},
                  lambda: self.client.catalog.UpdatePiece(request, timeout=CALL_SECONDS),
                  lambda answer: answer.piece.version)

    def delete_piece(self, present, _absent, recordings):
        """And the recordings of it, all or nothing."""
        name = self.random.choice(present)
        of_it = [
            other for other in recordings if self.world.truth.get(RECORDING, other).piece_id == name
        ]
        request = self.world.catalog.DeletePieceRequest(piece_id=name, with_recordings=bool(of_it))
        after = {(PIECE, name): None, **{(RECORDING, other): None for other in of_it}}
        self.make(after, lambda: self.client.catalog.DeletePiece(request, timeout=CALL_SECONDS),
                  lambda answer: answer.version, quick=True)

    def add_recording(self, present, _absent, recordings):
        free = self.free(RECORDING)
        if not free:
            return
        name = self.random.choice([other for other in self.recordings if other not in recordings])
        state = self.new_state(self.random.choice(free), self.random.choice([*present, ""]))
        messages = self.world.catalog
        request = messages.AddRecordingRequest(
            recording=messages.NewRecording(id=name, title=state.title, composer=state.composer,
                                            collection=state.collection, piece_id=state.piece_id),
            audio_file=self.world.material.sounds[state.content])
        self.make({(RECORDING, name): state},
                  lambda: self.client.catalog.AddRecording(request, timeout=CALL_SECONDS),
                  lambda answer: answer.recording.version)

    def rename_recording(self, _present, _absent, recordings):
        name = self.random.choice(recordings)
        old = self.world.truth.get(RECORDING, name)
        state = self.new_state(old.content, old.piece_id)
        request = self.world.catalog.UpdateRecordingRequest(recording_id=name, title=state.title,
                                                            composer=state.composer,
                                                            collection=state.collection,
                                                            **self.expected_version(old))
        self.make({(RECORDING, name): state},
                  lambda: self.client.catalog.UpdateRecording(request, timeout=CALL_SECONDS),
                  lambda answer: answer.recording.version, quick=True)

    def delete_recording(self, _present, _absent, recordings):
        name = self.random.choice(recordings)
        request = self.world.catalog.DeleteRecordingRequest(recording_id=name)
        self.make({(RECORDING, name): None},
                  lambda: self.client.catalog.DeleteRecording(request, timeout=CALL_SECONDS),
                  lambda answer: answer.version, quick=True)

    def ask_the_impossible(self, present, _absent, _recordings):
        """Changes that must be refused, whatever happens around them."""
        name = self.random.choice(present)
        state = self.world.truth.get(PIECE, name)
        messages = self.world.catalog
        method, request, code = self.random.choice([
            (self.client.catalog.AddPiece, self.add_request(name, state), Code.ALREADY_EXISTS),
            (self.client.catalog.UpdatePiece,
             messages.UpdatePieceRequest(piece_id=name, title="?",
                                         expected_version=state.version + 1_000_000), Code.ABORTED),
            (self.client.catalog.DeletePiece, messages.DeletePieceRequest(piece_id=f"{name}-not"),
             Code.NOT_FOUND),
        ])
        try:
            method(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            self.world.require(error.code() in (code, Code.RESOURCE_EXHAUSTED, *LOST),
                               f"{code.name} expected, {describe(error)}")
            self.world.count("impossible changes refused")
            return
        raise Violation(f"{code.name} expected for {name}")


class Reader(Worker):
    """Asks in both directions and looks around; what is named must be there, and what is there must
    be found."""

    def step(self):
        question = self.random.choice([
            self.identify_sound, self.identify_score, self.identify_score, self.search_scores,
            self.search_recordings, self.list_pieces, self.look_at_status
        ])
        try:
            question()
            self.world.count(question.__name__.replace("_", " "))
        except grpc.RpcError as error:
            self.world.require(error.code() in LOST or error.code() == Code.RESOURCE_EXHAUSTED,
                               f"{question.__name__}: {describe(error)}")
            self.world.count("questions lost")
            time.sleep(0.05)

    def check_sources(self, kind, sources, since):
        for source in sources:
            self.world.require(
                self.world.truth.may_be_there(kind, source.id, since),
                f"an answer names the {kind} {source.id}, which was deleted before the question")

    def identify_sound(self):
        world = self.world
        name = self.random.choice(world.fixed_queries)
        since = time.monotonic()
        audio = world.types.Audio(file=world.material.queries[name])
        answer = self.client.retrieval.Identify(world.messages.IdentifyRequest(audio=audio),
                                                timeout=CALL_SECONDS)
        self.check_sources(PIECE, [candidate.source for candidate in answer.candidates], since)
        found = [candidate.source.id for candidate in answer.candidates]
        world.require(found[:1] == [name], f"the sound of {name} is identified as {found}")

    def identify_score(self):
        """A piece that did not change while it was asked for must be the answer."""
        world, truth = self.world, self.world.truth
        present = truth.present(PIECE)
        if not present:
            return
        name = self.random.choice(present)
        state = truth.get(PIECE, name)
        if state is None:
            return
        since = time.monotonic()
        score = world.types.Score(midi=world.material.parts[state.content])
        answer = self.client.retrieval.Identify(world.messages.IdentifyRequest(score=score),
                                                timeout=CALL_SECONDS)
        self.check_sources(PIECE, [candidate.source for candidate in answer.candidates], since)
        if truth.get(PIECE, name) is not state or truth.pending(PIECE, name):
            return
        found = [candidate.source.id for candidate in answer.candidates]
        world.require(found[:1] == [name], f"a part of {state} is identified as {found}")
        if state.title == truth.get(PIECE, name).title:
            world.require(
                answer.candidates[0].source.title == state.title,
                f"{name} is called {answer.candidates[0].source.title}, "
                f"acknowledged was {state.title}")

    def search_scores(self):
        world = self.world
        since = time.monotonic()
        audio = world.types.Audio(
            file=world.material.queries[self.random.choice(world.fixed_queries)])
        options = world.messages.SearchOptions(top_k=30, include_snippets=False)
        answer = self.client.retrieval.SearchScores(
            world.messages.SearchScoresRequest(audio=audio, options=options), timeout=CALL_SECONDS)
        world.require(len(answer.hits) > 0, "a search among pieces finds nothing")
        self.check_sources(PIECE, [hit.source for hit in answer.hits], since)

    def search_recordings(self):
        world = self.world
        since = time.monotonic()
        name = self.random.choice(world.material.base_sounds)
        score = world.types.Score(midi=world.material.parts[name])
        answer = self.client.retrieval.SearchRecordings(
            world.messages.SearchRecordingsRequest(score=score), timeout=CALL_SECONDS)
        self.check_sources(RECORDING, [hit.source for hit in answer.hits], since)
        found = [hit.source.id for hit in answer.hits]
        world.require(name in found, f"the recording of {name} is not among {found}")

    def list_pieces(self):
        world = self.world
        since = time.monotonic()
        token, listed = "", []
        while True:
            request = world.catalog.ListPiecesRequest(page_size=7, page_token=token)
            try:
                page = self.client.catalog.ListPieces(request, timeout=CALL_SECONDS)
            except grpc.RpcError as error:
                if error.code() == Code.INVALID_ARGUMENT and token:
                    return  # the collection has changed since the page before
                raise
            listed += page.pieces
            token = page.next_page_token
            if not token:
                break
        names = [piece.id for piece in listed]
        world.require(
            len(set(names)) == len(names) == page.total,
            f"a list of {page.total} pieces has {names}")
        self.check_sources(PIECE, listed, since)

    def look_at_status(self):
        status = self.client.admin.Status(self.world.admin.StatusRequest(), timeout=CALL_SECONDS)
        self.world.require(not status.rejected_changes,
                           f"changes are rejected: {status.rejected_changes}")
