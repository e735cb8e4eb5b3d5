#!/usr/bin/env python3
"""A whole receiver of bookonce's messages, with nothing but the standard library.

    python3 receive.py 127.0.0.1:8080 effects.db secret-new secret-old     # files with `whsec_…`, one or more

The effect of a message is a row in `effects`: its account and its amount. It is made once, however often the message comes,
because the message's id and its effect are committed together.
"""
import base64, hashlib, hmac, http.server, json, pathlib, sqlite3, sys, time

TOLERANCE_SECONDS = 300  # how far from now a request may have been signed
TABLES = """
CREATE TABLE IF NOT EXISTS inbox_key (key TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS effects (account TEXT, type TEXT, amount TEXT, at TEXT);
"""


def is_genuine(headers, body, secrets, now):
    """Says whether a request was signed with one of the secrets, and not too long ago. The body is the bytes as they came."""
    at, id = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    if not at.isdecimal() or abs(now - int(at)) > TOLERANCE_SECONDS:
        return False
    came = [one[3:] for one in headers.get("webhook-signature", "").split() if one.startswith("v1,")]
    for secret in secrets:
        code = hmac.new(secret, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
        right = base64.b64encode(code)
        if any(hmac.compare_digest(right, one.encode()) for one in came):
            return True
    return False


def take(path, body):
    """Makes the effect of a message once: what has come and what it did are committed together, or neither is."""
    message = json.loads(body)
    if message["type"] == "bookonce.test":
        return
    database = sqlite3.connect(path, timeout=10, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        key = message["id"]  # or: message["transactionid"] + " " + message["type"]
        came = database.execute("INSERT INTO inbox_key VALUES (?) ON CONFLICT DO NOTHING", (key,))
        if came.rowcount == 1:
            amount = message["data"]["data"].get("amount")
            effect = (message["subject"], message["type"], amount, message["time"])
            database.execute("INSERT INTO effects VALUES (?, ?, ?, ?)", effect)
        database.execute("COMMIT")
    finally:
        database.close()  # what is not committed is rolled back


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version, database, secrets = "HTTP/1.1", None, []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        status = 200
        try:
            if is_genuine(self.headers, body, self.secrets, time.time()):
                take(self.database, body)
            else:
                status = 401
        except (ValueError, KeyError, TypeError):
            status = 400  # no message of a ledger
        except sqlite3.Error as error:
            print(error, file=sys.stderr)
            status = 503  # it comes again
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main(listen, path, *files):
    Receiver.database = path
    for file in files:
        text = pathlib.Path(file).read_text().strip()
        Receiver.secrets.append(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    database = sqlite3.connect(path)
    database.executescript("PRAGMA journal_mode = WAL;" + TABLES)
    database.close()
    host, port = listen.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((host, int(port)), Receiver)
    print(f"listening on http://{host}:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
