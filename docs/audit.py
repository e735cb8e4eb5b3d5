"""Checks an export of bookonce by docs/format.md alone: chain, ids, balances, digest. `python3 audit.py FILE` prints RIGHT with
head and digest, or WRONG with the first reason and ends with 1. A part is WRONG; whether it had to come so is not asked."""
import hashlib, json, re, sys, uuid
from decimal import Decimal
LINE, position = re.compile(r'\{"position":\d+,(.*?)"event_id":"[^"]*",(.*),"hash":"[^"]*"\}'), 0
STATUS = {"AccountOpened": "open", "Frozen": "frozen", "Unfrozen": "open", "Closed": "closed"}
SIGN = {"Deposited": 1, "TransferCredited": 1, "Withdrawn": -1, "HoldCaptured": -1, "Reversed": 0}
SEEN = {"Reversed": "reverses amount", "Prevented": "reverses", "Corrected": "signed", "HoldCaptured": "hold amount",
        "HoldReleased": "hold", "HoldExpired": "hold", "HoldPrevented": "hold", "TransferCredited": "transfer amount",
        "CreditPrevented": "transfer", "HoldPlaced": "amount | expires_in_seconds transfer"}
ENDS, NAMESPACE = ("completed", "declined", "compensated", "cancelled"), uuid.UUID("5d6c3ec8-1f7b-5a0e-9c1d-6b6f6f6b3131")
BEGIN = "AccountOpened", "TransferRequested", "DeadLettered"
def check(is_right, why):
    if not is_right: raise ValueError(why)
def sha(*parts): return hashlib.sha256(b"".join(it if isinstance(it, bytes) else it.encode() for it in parts)).digest()
def raw(text): return uuid.UUID(text).bytes if len(text) == 36 else text
def moved(left, event, data):  # Gives what is added to the balance; `left` has what can be taken back of each, and from whom.
    (own, amount), (other, against) = [(entry["account"], Decimal(entry["amount"])) for entry in data["entries"]]
    check((own, other[0], -against) == (event["stream"][8:], "@", amount), "its entries do not balance")
    check(abs(amount) == Decimal(data["amount"]) != 0, "its entries are not of its amount")
    if (event["type"], other) == ("Corrected", "@corrections"): return amount
    sign, id = SIGN[event["type"]], data.get("reverses", event["transaction_id"])
    rest, counter = (0, other) if sign else left.get(id, (0, ""))
    check(amount * sign > 0 or amount * rest < 0 and abs(amount) <= abs(rest) and other == counter, "it moves what it may not")
    left[id] = (rest + amount, other)
    return amount

def take(at, event, kind, data):
    at["status"], holds = STATUS.get(kind, at["status"]), at["holds"]
    at["limit"] = Decimal(data["overdraft_limit"]) if kind in ("AccountOpened", "OverdraftLimitChanged") else at["limit"]
    at["balance"] = (at["balance"] or at["limit"] * 0) + (moved(at["left"], event, data) if "entries" in data else 0)
    amount = Decimal(data.get("amount", 0)) + Decimal(data.get("released", 0))
    if kind == "HoldPlaced": holds[event["transaction_id"]] = amount
    if kind in ("HoldCaptured", "HoldReleased", "HoldExpired"): check(holds.pop(data["hold"]) == amount, "it was not held so")
    answer = {"balance": str(at["balance"]), "available": str(at["balance"] + at["limit"] - sum(holds.values()))}
    check(event["answer"] == answer and data["currency"] == at["currency"], "its answer should be %s" % answer)
    check(kind != "Corrected" or data.get("balance", answer["balance"]) == answer["balance"], "its balance is another")
    check(data.get("expected_revision", at["revision"]) == at["revision"], "another revision was expected")

def digest(streams):
    lines, ended = [], []
    for name, at in sorted(it for it in streams.items() if it[0][0] in "at"):
        line = [name[8:], *map(at.get, ("currency", "balance", "limit", "status")), sum(at["holds"].values(), at["limit"] * 0)]
        line = ["transfer", name[9:], *at["asked"], at["state"]] if name[0] == "t" else line
        (ended if at["state"] in ENDS else lines).append("%s|%s\n" % ("|".join(map(str, line)), at["seen"].hex()))
    total = sum(int.from_bytes(sha(line), "big") for line in ended) % 2**256
    return sha(*lines, "ended|%d|%064x\n" % (len(ended), total) if max(streams, default="") > "t" else "").hex()

try:
    *lines, last, end = open(sys.argv[1], encoding="utf-8", newline="\n").read().split("\n")
    manifest, events, streams, ids, time = json.loads(last)["manifest"], [json.loads(line) for line in lines], {}, set(), ""
    head, along = sha("bookonce journal ", manifest["journal_id"]), "chain" in manifest
    begin, first = head.hex(), (events or [{"position": 1, "hash": head.hex()}])[0]
    for event, line in zip(events, lines):
        name, kind, data, id = event["stream"], event["type"], event["data"], event.get("transaction_id")
        text, before, position = "{%s%s}" % LINE.fullmatch(line).groups(), position, event["position"]
        check(position > before if along else position == before + 1, "it stands behind position %d" % before)
        check(event["event_id"] == str(uuid.uuid5(NAMESPACE, text)), "its id does not follow from its bytes")
        check(kind == "DestinationSet" or (kind in BEGIN) == (name not in streams), "its stream has no beginning, or two")
        asked, start = [data.get(key) for key in ("from", "to", "currency", "amount")], sha("bookonce stream ", name)
        at = streams.setdefault(name, {"asked": asked, "currency": asked[2], "balance": 0, "limit": 0, "left": {}, "holds": {},
             "status": "", "time": "", "seen": bytes(32), "revision": -1, "hash": start})
        own, used, time = sha(at["hash"] if along else head, text), (id or text, name if along else ""), at["time"] if along else time
        check(event["hash"] == own.hex(), "its hash does not follow from the one before")
        check(event["revision"] == at["revision"] + 1 and event["recorded_at"] >= time, "it does not come next in its stream")
        check(ids.issuperset(data.get("corrects", ())) and used not in ids and not ids.update({used, id or used}), "an ID is wrong")
        if name[0] == "a": take(at, event, kind, data)
        told = {**data, "|": "|", "signed": data.get("entries", [{"amount": ""}])[0]["amount"]}
        named = [raw(str(told[key])) for key in SEEN.get(kind, "").split() if key in told]
        word, time = "declined:" + data["code"] if kind == "Declined" else "accepted:" + kind, event["recorded_at"]
        at.update(revision=event["revision"], hash=own, time=time, state=event.get("answer", {}).get("state"),
                  seen=sha(at["seen"], raw(id or ""), word, "|"[:len(named)], *named))
        head = sha(head, own) if along else own
    id, hash = (first["event_id"], "") if along else (manifest["journal_id"], '"first_hash":"%s",' % first["hash"])
    fields = '2,"chain":"streams"' if along else "1", id, first["position"], position, len(events), hash, head.hex(), begin
    form = '{"manifest":{"format":%s,"journal_id":"%s","from":%d,"to":%d,"count":%d,%s"last_hash":"%s","previous_hash":"%s"}}'
    check((last, end) == (form % fields, ""), "the last line should be " + form % fields)
    print("RIGHT head %d:%s digest %s" % (position, head.hex(), digest(streams)))
except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
    sys.exit("WRONG at position %d: %r" % (position, error))
