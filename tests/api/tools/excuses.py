"""What schemathesis has to be told before it may judge the service: each line is an excuse, and says why it is one."""

import re

import schemathesis

UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_id(value):
    return isinstance(value, str) and UUID.fullmatch(value.strip('"')) is not None


@schemathesis.hook
def before_call(context, case, kwargs):
    # A read waits for `min_position` as long as it is told to, and says 503 then.
    if case.query:
        case.query.pop("min_position", None)
    # The ID may be in either of two places; two that differ are refused, and none is, too. The document can't say that.
    key = next((name for name in case.headers or {} if name.lower() == "idempotency-key"), None)
    beside = case.body.get("transaction_id") if isinstance(case.body, dict) else None
    if key and is_id(case.headers[key]) and is_id(beside):
        del case.headers[key]


# A batch is lines: they are sent as they are, and looked at as text.
@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return value.encode() if isinstance(value, str) else str(value).encode()


@schemathesis.deserializer("application/x-ndjson")
def text(context, response):
    return response.text
