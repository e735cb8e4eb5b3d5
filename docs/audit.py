"""Checks an export of bookonce by docs/format.md alone: chain, ids, balances, digest. `python3 audit.py FILE` prints RIGHT with
head and digest, or WRONG with the first reason and ends with 1. A part is WRONG; whether a decline was right is not asked."""
import json, sys, uuid
from decimal import Decimal
from hashlib import sha256
STATUS = {"AccountOpened": "open", "Frozen": "frozen", "Unfrozen": "open", "Closed": "closed"}
STREAM, NAMESPACE, position = "bookonce stream account-", uuid.UUID("5d6c3ec8-1f7b-5a0e-9c1d-6b6f6f6b3131"), 0

def check(is_right, why):
    if not is_right: raise ValueError(why)

def sha(*parts): return sha256(b"".join(it if isinstance(it, bytes) else it.encode() for it in parts)).digest()

def canonical(line, event):
    front, own, back = [it % event for it in ('{"position":%(position)d,', '"event_id":"%(event_id)s",', ',"hash":"%(hash)s"}')]
    check(line.startswith(front) and line.endswith(back) and own in line, "it is not written as an event is")
    return "{" + line[len(front):-len(back)].replace(own, "", 1) + "}"

def moved(left, event, data):
    """Gives what an event adds to the balance; `left` has what can still be taken back of each transaction, and from whom."""
    (own, amount), (other, against) = [(entry["account"], Decimal(entry["amount"])) for entry in data["entries"]]
    check(own == event["stream"][8:] and other[0] == "@" and amount == -against, "its entries do not balance")
    check(abs(amount) == Decimal(data["amount"]) != 0, "its entries are not of its amount")
    if (event["type"], other) == ("Corrected", "@corrections"): return amount
    sign, id = {"Deposited": 1, "Withdrawn": -1, "Reversed": 0}[event["type"]], data.get("reverses", event["transaction_id"])
    rest, counter = (0, other) if sign else left.get(id, (0, ""))
    check(amount * sign > 0 or amount * rest < 0 and abs(amount) <= abs(rest) and other == counter, "it moves what it may not")
    left[id] = (rest + amount, other)
    return amount

def take(account, event, kind, data):
    account["status"] = STATUS.get(kind, account["status"])
    account["limit"] = Decimal(data["overdraft_limit"]) if kind == "OverdraftLimitChanged" else account["limit"]
    account["balance"] += moved(account["left"], event, data) if "entries" in data else 0
    answer = {"balance": str(account["balance"]), "available": str(account["balance"] + account["limit"])}
    check(event["answer"] == answer and data["currency"] == account["currency"], "its answer should be %s" % answer)
    check(kind != "Corrected" or data.get("balance", answer["balance"]) == answer["balance"], "its balance is another")
    check(data.get("expected_revision", account["revision"]) == account["revision"], "another revision was expected")
    named = b"|" + uuid.UUID(data["reverses"]).bytes if kind in ("Reversed", "Prevented") else b""
    own = data["amount"] if kind == "Reversed" else "|" + data["entries"][0]["amount"] if kind == "Corrected" else ""
    account["seen"] = sha(account["seen"], uuid.UUID(event["transaction_id"]).bytes,
                          "declined:" + data["code"] if kind == "Declined" else "accepted:" + kind, named, own)

def audit(lines):
    global position
    check(lines[-1] == "" and len(lines) > 1 and "manifest" in lines[-2], "there is no manifest as the last line")
    manifest, events = json.loads(lines[-2])["manifest"], [json.loads(line) for line in lines[:-2]]
    streams, accounts, ids, time = manifest.get("chain") == "streams", {}, set(), ""
    head = begin = sha("bookonce journal ", manifest["journal_id"])
    for event, line in zip(events, lines):
        name, kind, last, position = event["stream"][8:], event["type"], position, event["position"]
        check(position > last if streams else position == last + 1, "it stands behind position %d" % last)
        text, limit = canonical(line, event), Decimal(event["data"].get("overdraft_limit", 0))
        check(event["event_id"] == str(uuid.uuid5(NAMESPACE, text)), "its id does not follow from its bytes")
        check((kind == "AccountOpened") == (name not in accounts), "its account is not open, or is opened twice")
        account = accounts.setdefault(name, {"currency": event["data"]["currency"], "limit": limit, "balance": limit * 0,
            "left": {}, "status": "", "seen": bytes(32), "time": "", "revision": -1, "hash": sha(STREAM, name)})
        own, used = sha(account["hash"] if streams else head, text), (event["transaction_id"], name if streams else "")
        check(event["hash"] == own.hex(), "its hash does not follow from the one before")
        check(event["revision"] == account["revision"] + 1, "an event of its account is missing, or comes twice")
        check(event["recorded_at"] >= (account["time"] if streams else time), "its time goes back")
        check(ids.issuperset(event["data"].get("corrects", ())), "what it corrects was not booked before it")
        check(used not in ids and not ids.update((used, used[0])), "its transaction ID was seen before")
        take(account, event, kind, event["data"])
        account.update(revision=event["revision"], hash=own, time=event["recorded_at"])
        head, time = sha(head, own) if streams else own, event["recorded_at"]
    first, id = events[0] if events else {"position": 1, "hash": begin.hex()}, manifest["journal_id"]
    fields = [("format", 1 + streams), ("chain", "streams"), ("journal_id", first["event_id"] if streams else id),
              ("from", first["position"]), ("to", position), ("count", len(events)), ("first_hash", first["hash"]),
              ("last_hash", head.hex()), ("previous_hash", begin.hex())]
    expected = {"manifest": {key: value for key, value in fields if key != ("first_hash" if streams else "chain")}}
    check(lines[-2] == json.dumps(expected, separators=(",", ":")), "the last line should be %s" % expected)
    state = ["%s|%s|%s|%s|%s|%s|%s\n" % (name, at["currency"], at["balance"], at["limit"], at["status"],
             abs(at["balance"] * 0), at["seen"].hex()) for name, at in sorted(accounts.items())]
    return "RIGHT head %d:%s digest %s" % (position, head.hex(), sha(*state).hex())

try:
    print(audit(open(sys.argv[1], encoding="utf-8", newline="\n").read().split("\n")))
except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
    sys.exit("WRONG at position %d: %r" % (position, error))
