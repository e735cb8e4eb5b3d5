// What a Node client that nobody here wrote makes of the stand-in. Usage: node kurrentdb.mjs CONNECTION_STRING
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  KurrentDBClient, jsonEvent, START, END, FORWARDS, BACKWARDS, NO_STREAM, ANY, streamNameFilter,
  StreamNotFoundError, WrongExpectedVersionError, StreamDeletedError, MaxAppendSizeExceededError,
} from "@kurrent/kurrentdb-client";

const client = KurrentDBClient.connectionString([process.argv[2]]);
const stream = `node-${randomUUID()}`;
const event = (n, id = randomUUID()) => jsonEvent({ id, type: "Deposited", data: { n }, metadata: { by: "node" } });
const gather = async (events) => {
  const all = [];
  for await (const { event } of events) all.push(event);
  return all;
};

// A missing stream.
await assert.rejects(gather(client.readStream(stream)), StreamNotFoundError);

// Append (by batches), read both ways.
const events = Array.from({ length: 60 }, (_, n) => event(n));
const first = await client.appendToStream(stream, events.slice(0, 1), { streamState: NO_STREAM });
assert.equal(first.nextExpectedRevision, 0n);
const rest = await client.appendToStream(stream, events.slice(1), { streamState: 0n });
assert.equal(rest.nextExpectedRevision, 59n);
const read = await gather(client.readStream(stream));
assert.deepEqual(read.map((e) => e.id), events.map((e) => e.id));
assert.deepEqual(read[7].data, { n: 7 });
assert.deepEqual(read[7].metadata, { by: "node" });
assert.equal(read[59].position.commit, rest.position.commit);
assert.ok(read[7].created instanceof Date && Math.abs(Date.now() - read[7].created) < 600_000);
const last = await gather(client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 2 }));
assert.deepEqual(last.map((e) => e.revision), [59n, 58n]);
const middle = await gather(client.readStream(stream, { fromRevision: 10n, maxCount: 2 }));
assert.deepEqual(middle.map((e) => e.revision), [10n, 11n]);

// An idempotent repeat, and a wrong version.
const again = await client.appendToStream(stream, events.slice(1), { streamState: 0n });
assert.equal(again.nextExpectedRevision, 59n);
assert.equal(again.position.commit, rest.position.commit);
await assert.rejects(client.appendToStream(stream, [event(0)], { streamState: 3n }), WrongExpectedVersionError);
await assert.rejects(client.appendToStream(stream, [event(0)], { streamState: NO_STREAM }), WrongExpectedVersionError);

// Too much at once.
const large = jsonEvent({ type: "Large", data: { text: "x".repeat(1 << 20) } });
await assert.rejects(client.appendToStream(stream, [large], { streamState: ANY }), MaxAppendSizeExceededError);

// $all, both ways.
const forwards = (await gather(client.readAll({ direction: FORWARDS, fromPosition: START })))
  .filter((e) => e?.streamId === stream);
assert.deepEqual(forwards.map((e) => e.id), events.map((e) => e.id));
const backwards = (await gather(client.readAll({ direction: BACKWARDS, fromPosition: END })))
  .filter((e) => e?.streamId === stream);
assert.deepEqual(backwards.map((e) => e.id), events.map((e) => e.id).reverse());

// Subscribe to a stream and to $all with a filter, and resume after a place.
const some = async (subscription, count) => {
  const ids = [];
  for await (const { event } of subscription) {
    ids.push(event.id);
    if (ids.length === count) break;
  }
  return ids;
};
const ids = events.map((e) => e.id);
assert.deepEqual(await some(client.subscribeToStream(stream, { fromRevision: START }), 60), ids);
assert.deepEqual(await some(client.subscribeToStream(stream, { fromRevision: 49n }), 10), ids.slice(50));
let checkpoints = 0;
const filter = streamNameFilter({ prefixes: [stream], checkpointInterval: 1, checkpointReached: async () => { checkpoints += 1; } });
assert.deepEqual(await some(client.subscribeToAll({ fromPosition: read[29].position, filter }), 30), ids.slice(30));
const live = client.subscribeToAll({ fromPosition: END, filter });
await new Promise((resolve) => live.on("caughtUp", resolve));
const late = event(60);
await client.appendToStream(stream, [late], { streamState: 59n });
assert.deepEqual(await some(live, 1), [late.id]);

// Deleted, and there again; a tombstone.
await client.deleteStream(stream, { expectedRevision: 60n });
await assert.rejects(gather(client.readStream(stream)), StreamNotFoundError);
const revived = await client.appendToStream(stream, [event(61)], { streamState: NO_STREAM });
assert.equal(revived.nextExpectedRevision, 61n);
assert.deepEqual((await gather(client.readStream(stream))).map((e) => e.revision), [61n]);
await client.tombstoneStream(stream);
await assert.rejects(gather(client.readStream(stream)), StreamDeletedError);

await client.dispose();
console.log("node: all as expected");
