"""What a Python client that nobody here wrote makes of the stand-in. Usage: kurrentdb.py CONNECTION_STRING"""

import sys
from uuid import UUID, uuid4

from kurrentdbclient import KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.exceptions import FailedPreconditionError, NotFoundError, WrongCurrentVersionError, StreamIsDeletedError


def event(kind, body=b"{}", id=None):
    return NewEvent(type=kind, data=body, metadata=b'{"by":"python"}', id=id or uuid4())


def raises(error, call):
    try:
        call()
    except error:
        return True
    return False


client = KurrentDBClient(uri=sys.argv[1])
raw = "python-raw-" + str(uuid4())
stream = "python-" + str(uuid4())
start = client.get_commit_position(filter_exclude=[])

# A missing stream.
assert raises(NotFoundError, lambda: client.get_stream(stream))

# One event (Append), then a list (BatchAppend).
first = event("Opened")
one = client.append_to_stream(stream, events=first, current_version=StreamState.NO_STREAM)
rest = [event("Deposited", b'{"n":%d}' % n) for n in range(1, 40)]
many = client.append_to_stream(stream, events=rest, current_version=0)
assert one < many
ids = [first.id] + [e.id for e in rest]

# Read both ways, from places, with limits.
events = client.get_stream(stream)
assert [e.id for e in events] == ids
assert [e.stream_position for e in events] == list(range(40))
assert events[5].data == b'{"n":5}' and events[5].metadata == b'{"by":"python"}'
assert events[5].type == "Deposited" and events[5].content_type == "application/json"
assert events[5].recorded_at is not None
positions = [e.commit_position for e in events]
assert positions == sorted(set(positions)) and positions[0] == one and positions[-1] == many
assert [e.stream_position for e in client.get_stream(stream, backwards=True, limit=3)] == [39, 38, 37]
assert [e.stream_position for e in client.get_stream(stream, stream_position=7, limit=2)] == [7, 8]
assert [e.stream_position for e in client.get_stream(stream, stream_position=2, backwards=True)] == [2, 1, 0]
assert client.get_current_version(stream) == 39
assert client.get_stream(stream, stream_position=40) == ()

# An idempotent repeat, whole and its leading part, whatever the bodies; a wrong version by either call.
assert client.append_to_stream(stream, events=first, current_version=StreamState.NO_STREAM) == one
assert client.append_to_stream(stream, events=rest, current_version=0) == many
changed = [event("Other", b'"other"', id=e.id) for e in rest[:10]]
assert client.append_to_stream(stream, events=changed, current_version=0) == positions[10]
wrong = WrongCurrentVersionError
assert raises(wrong, lambda: client.append_to_stream(stream, events=event("X"), current_version=3))
assert raises(wrong, lambda: client.append_to_stream(stream, events=[event("X"), event("X")], current_version=3))
assert raises(wrong, lambda: client.append_to_stream(stream, events=event("X"), current_version=99))
assert raises(wrong, lambda: client.append_to_stream(stream, events=[rest[0], event("X")], current_version=0))
assert len(client.get_stream(stream)) == 40
# At the current revision nothing is compared.
client.append_to_stream(stream, events=event("Twice", id=rest[-1].id), current_version=39)
assert len(client.get_stream(stream)) == 41
# With no revision the ids seen lately are.
client.append_to_stream(stream, events=rest[0], current_version=StreamState.ANY)
assert len(client.get_stream(stream)) == 41

# $all, both ways, filtered and not.
other = client.append_to_stream(raw, events=event("Noise", b"\x00"), current_version=StreamState.ANY)
forwards = [e.id for e in client.read_all(commit_position=start or None) if e.stream_name in (stream, raw)]
assert len(forwards) == 42 and forwards[:40] == ids
backwards = [e.id for e in client.read_all(backwards=True) if e.stream_name in (stream, raw)]
assert backwards == forwards[::-1]
mine = dict(filter_include=[stream], filter_by_stream_name=True, filter_by_prefix=True)
assert [e.id for e in client.read_all(**mine)] == forwards[:41]
assert [e.id for e in client.read_all(commit_position=positions[10], limit=3, **mine)] == ids[10:13]
assert [e.id for e in client.read_all(commit_position=positions[10], backwards=True, limit=2, **mine)] == ids[8:10][::-1]
named = [e.stream_position for e in client.read_all(filter_include=["Opened"]) if e.stream_name == stream]
assert named == [0]

# Subscribe to a stream and to $all, and resume after a place; a drop is gone on from.
with client.subscribe_to_stream(stream) as subscription:
    assert [next(subscription).id for _ in range(40)] == ids
with client.subscribe_to_stream(stream, stream_position=20) as subscription:
    assert next(subscription).stream_position == 21
with client.subscribe_to_all(commit_position=positions[20], include_checkpoints=True, **mine) as subscription:
    seen = []
    while len(seen) < 20:
        got = next(subscription)
        if not type(got).__name__ == "Checkpoint":
            seen.append(got.id)
    assert seen[:19] == ids[21:]
    live = event("Live")
    client.append_to_stream(stream, events=live, current_version=40)
    got = next(subscription)
    while type(got).__name__ == "Checkpoint":
        got = next(subscription)
    assert got.id == live.id

# Metadata cuts a stream without a word.
client.set_stream_metadata(stream, metadata={"$maxCount": 2})
assert [e.stream_position for e in client.get_stream(stream)] == [40, 41]
assert client.get_stream_metadata(stream)[0] == {"$maxCount": 2}

# A soft delete, and the stream again; a tombstone.
client.delete_stream(stream, current_version=41)
assert raises(NotFoundError, lambda: client.get_stream(stream))
client.append_to_stream(stream, events=event("Again"), current_version=StreamState.NO_STREAM)
assert [e.stream_position for e in client.get_stream(stream)] == [42]
client.tombstone_stream(stream, current_version=StreamState.ANY)
assert raises(StreamIsDeletedError, lambda: client.get_stream(stream))
assert raises(FailedPreconditionError, lambda: client.append_to_stream(stream, events=event("X"), current_version=StreamState.ANY))
assert raises(StreamIsDeletedError, lambda: client.append_to_stream(stream, events=[event("X")], current_version=StreamState.ANY))

client.close()
print("python: all as expected")
