"""Whether two servers give the same answers to the same questions."""

import shutil

import grpc

import harness
import material
from service import CALL_SECONDS, Client
from truth import PIECE, RECORDING

TOLERANCE = 1e-3  # of similarities and confidences: sums are taken in another order


def fresh_bundle(world, folder):
    """Indexes what the truth says is there, from nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    for kind, extension, contents in ((PIECE, "mid", world.material.midi),
                                      (RECORDING, "flac", world.material.sounds)):
        (folder / kind).mkdir(parents=True)
        rows = ["file\ttitle\tcomposer\tcollection\tpiece_id\twork_id"]
        for name in sorted(world.truth.present(kind)):
            state = world.truth.get(kind, name)
            (folder / kind / f"{name}.{extension}").write_bytes(contents[state.content])
            rows.append(
                f"{name}.{extension}\t{state.title}\t{state.composer}\t{state.collection}\t"
                f"{state.piece_id}\t{state.work_id}")
        (folder / kind / "metadata.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    bundle = folder / "bundle"
    material.index(folder / PIECE, folder / RECORDING, bundle)
    return bundle


def answers(world, client):
    """Of one server to every question: lists of (id, numbers), best first."""
    messages, types = world.messages, world.types
    found = {}
    for name, sound in world.material.queries.items():
        audio = types.Audio(file=sound)
        answer = client.retrieval.Identify(messages.IdentifyRequest(audio=audio),
                                           timeout=CALL_SECONDS)
        found[f"identify the sound of {name}"] = [(candidate.source.id, candidate.confidence,
                                                   candidate.similarity)
                                                  for candidate in answer.candidates]
        request = messages.SearchScoresRequest(audio=audio,
                                               options=messages.SearchOptions(top_k=20))
        answer = client.retrieval.SearchScores(request, timeout=CALL_SECONDS)
        found[f"search scores for {name}"] = [
            (hit.source.id, hit.similarity) for hit in answer.hits
        ]
    for name, part in world.material.parts.items():
        score = types.Score(midi=part)
        answer = client.retrieval.Identify(messages.IdentifyRequest(score=score),
                                           timeout=CALL_SECONDS)
        found[f"identify the score {name}"] = [(candidate.source.id, candidate.confidence,
                                                candidate.similarity)
                                               for candidate in answer.candidates]
        request = messages.SearchRecordingsRequest(score=score,
                                                   options=messages.SearchOptions(top_k=20))
        answer = client.retrieval.SearchRecordings(request, timeout=CALL_SECONDS)
        found[f"search recordings for {name}"] = [
            (hit.source.id, hit.similarity) for hit in answer.hits
        ]
    return found


def same_order(one, other):
    """Equal lists, where neighbours that are alike within the tolerance may be in either order."""
    if len(one) != len(other):
        return False
    for (_, *numbers), (_, *numbers_of_other) in zip(one, other):
        if any(abs(a - b) > TOLERANCE for a, b in zip(numbers, numbers_of_other)):
            return False
    position = {entry[0]: entry[1:] for entry in other}
    if len(position) < len(other):  # several hits of one source: their numbers, sorted, must do
        return True
    # The last may have changed places with one that is not listed.
    return all(
        name in position and all(
            abs(a - b) <= TOLERANCE for a, b in zip(numbers, position[name]))
        for name, *numbers in one[:-1])


def compare(world, client, mine, bundle, what):
    """Holds `mine`, the answers of the client's server, against those of one over `bundle`; returns
    how many there were."""
    with harness.Server(bundle=bundle) as server:
        other = Client(server.address, 0, world.stubs)
        theirs = answers(world, other)
        page = world.catalog.ListPiecesRequest(page_size=1000)
        listed = [{(piece.id, piece.title, piece.composer, piece.collection, piece.work_id,
                    piece.notes)
                   for piece in some.catalog.ListPieces(page, timeout=CALL_SECONDS).pieces}
                  for some in (client, other)]
    world.require(listed[0] == listed[1],
                  f"the pieces of {what} are others: {listed[0] ^ listed[1]}")
    for question, answer in mine.items():
        world.require(same_order(answer, theirs[question]),
                      f"{question}: {answer}, but of {what}: {theirs[question]}")
    return len(mine)


def everything_is_found(world, catalog, client):
    """Every item is as was acknowledged, every piece that is there is recognised, no other is
    listed."""
    truth = world.truth
    for kind, name in truth.names():
        try:
            catalog.check(client, kind, name)
        except grpc.RpcError as error:
            world.require(False, f"{kind} {name} cannot be read: {error.details()}")
    page = world.catalog.ListPiecesRequest(page_size=1000)
    listed = {piece.id for piece in client.catalog.ListPieces(page, timeout=CALL_SECONDS).pieces}
    world.require(listed == set(truth.present(PIECE)),
                  f"listed are {listed}, there should be {truth.present(PIECE)}")
    page = world.catalog.ListRecordingsRequest(page_size=1000)
    listed = {
        item.id for item in client.catalog.ListRecordings(page, timeout=CALL_SECONDS).recordings
    }
    world.require(listed == set(truth.present(RECORDING)), f"listed are the recordings {listed}")
    for name in truth.present(PIECE):
        score = world.types.Score(midi=world.material.parts[truth.get(PIECE, name).content])
        answer = client.retrieval.Identify(world.messages.IdentifyRequest(score=score),
                                           timeout=CALL_SECONDS)
        found = [candidate.source.id for candidate in answer.candidates]
        world.require(found[:1] == [name], f"{name} is identified as {found}")
    return len(truth.names())
