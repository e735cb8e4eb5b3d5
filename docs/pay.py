#!/usr/bin/env python3
"""A whole client of bookonce, with nothing but the standard library.

    python3 pay.py http://127.0.0.1:7070 alice 40.00     # takes 40.00 from alice, once
    python3 pay.py http://127.0.0.1:7070                 # sends what an earlier run has left

Every request is a file in `outbox/` from before its first attempt until there is an answer about it; the file's name is its
transaction ID. The key is read from BOOKONCE_KEY. Ends with 0 when the outbox is empty, else with 1.
"""
import concurrent.futures, http.client, json, os, pathlib, random, sys, time, urllib.error, urllib.request, uuid

OUTBOX = pathlib.Path("outbox")
DONE = {201, 402}  # booked; declined, and recorded as declined: these two alone end a request
AGAIN = {408, 429, 500, 502, 503, 504}  # says nothing about the transaction
PATIENCE = float(os.environ.get("PAY_PATIENCE_SECONDS") or 60)


def store(path, body):
    """Makes the ID and keeps the request durably. Nothing has been sent yet."""
    OUTBOX.mkdir(exist_ok=True)
    name = OUTBOX / str(uuid.uuid4())
    with open(f"{name}.new", "w") as file:
        json.dump({"path": path, "body": body}, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(f"{name}.new", name)
    folder = os.open(OUTBOX, os.O_RDONLY)  # the name must last as well as the content
    os.fsync(folder)
    os.close(folder)


def attempt(url, name):
    """Sends a request once, under its one ID. Gives the status (none when no whole answer came), whether it is the first
    answer again, the body, and for how many seconds to stay away."""
    request = json.loads((OUTBOX / name).read_text())
    headers = {"Idempotency-Key": name, "Content-Type": "application/json"}
    if os.environ.get("BOOKONCE_KEY"):
        headers["Authorization"] = "Bearer " + os.environ["BOOKONCE_KEY"]
    try:
        post = urllib.request.Request(url + request["path"], json.dumps(request["body"]).encode(), headers)
        try:
            answer = urllib.request.urlopen(post, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error  # an answer all the same, of another status than 2xx
        body = json.loads(answer.read())
        again = answer.status in AGAIN or body.get("code") == "in_progress"
        wait = int(answer.headers.get("Retry-After") or 0) if again else 0
        return None if again else answer.status, "Idempotent-Replayed" in answer.headers, body, wait
    except (OSError, ValueError, AttributeError, http.client.HTTPException):
        return None, False, {}, 0  # not reached, cut off, too slow, not whole: open


def send(url, names):
    """Sends all of them, side by side and round after round, so that one that is stuck holds up no other. Gives those that
    are left: open when the patience ended, or refused, which a person has to look at. Their IDs stay the same."""
    left, delay, end = set(names), 0.1, time.monotonic() + PATIENCE
    open_ones = set(names)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        while open_ones and time.monotonic() < end:
            wait, order = 0, sorted(open_ones)
            for name, answered in zip(order, pool.map(lambda name: attempt(url, name), order)):
                status, replayed, body, asked = answered
                wait = max(wait, min(asked, 30))
                if status is None:
                    continue
                open_ones.discard(name)
                shown = body.get("code") or body.get("balance")
                print(name, status, "replayed" if replayed else "new", shown, flush=True)
                if status in DONE:  # act on the answer, then forget the request
                    (OUTBOX / name).unlink(missing_ok=True)
                    left.discard(name)
            if open_ones:
                time.sleep(max(wait, delay * random.uniform(0.5, 1)))
                delay = min(2 * delay, 5)
    return left


def main(url, account=None, amount=None):
    if account:
        store(f"/v1/accounts/{account}/withdrawals", {"amount": amount})
    names = [file.name for file in OUTBOX.glob("*") if file.suffix != ".new"]
    left = send(url.rstrip("/"), names)
    for name in sorted(left):
        print(name, "is kept in the outbox: send it again, with this ID", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
