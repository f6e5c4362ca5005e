"""What schemathesis must know of netqoe beside the document.

A schema has no words for some rules: they join two parameters, or need to know what the server knows. All of them are here: what the
document says of them in prose is either set right in a request, or its refusal is expected.
"""

import json
import os
import re
import urllib.request

import schemathesis
import schemathesis.transport.requests
from schemathesis.core.failures import ServerError
from schemathesis.openapi.checks import RejectedPositiveData

SERVER = os.environ["NETQOE_SERVER"]
TOKEN = os.environ["NETQOE_TOKEN"]

# How the message about an event of a batch begins.
IN_A_BATCH = r"(none of \d+ events? was accepted; event \d+: )?"
# Valid requests that may be refused: where, and with what message. Each is 400 with the documented refusal.
EXPECTED = [
    # One parameter is compared with another one.
    ("/api/v1/different", "the region is empty; inside_from must be before inside_to"),
    ("/api/v1/different/measurements", "the region is empty; inside_from must be before inside_to"),
    ("/api/v1/score", r"\w+ \(.+\) must be less than \w+ \(.+\)"),
    ("/api/v1/score", "scores are of 31 days at most; move from and to closer together"),
    ("/api/v1/maintenance", "from and to must be Unix milliseconds, from before to"),
    # One parameter needs another one, or excludes it.
    ("/api/v1/different", "min and max are bounds of a metric; name it with metric"),
    ("/api/v1/different", "which values match[?] give min or max"),
    ("/api/v1/compare", "pairs of one client or of one target are compared; give client_id or target"),
    ("/api/v1/incidents/{id}/notes", "an empty note says nothing; give it a text, or let it acknowledge"),
    ("/api/v1/live", "detail=commits tells of all commits; leave out .*"),
    # Lengths are in bytes, while a schema counts characters.
    ("/api/v1/incidents/{id}/notes", r"(text|by) has \d+ bytes; \d+ are allowed"),
    ("/api/v1/maintenance", r"(text|by) has \d+ bytes; \d+ are allowed|each text of cause[.]value must have .*"),
    ("/(api/v1/)?events", IN_A_BATCH + r"\w+ must be a text of 1 to \d+ bytes .*"),
    ("/(api/v1/)?events", IN_A_BATCH + r"\w+_labels must be null or an object of at most .*"),
    # The server has a clock.
    ("/(api/v1/)?events", IN_A_BATCH + r"ts_ms lies \d+ ms ahead of the log's time, .*"),
]


HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


def ask(path, body=None):
    """The answer to a question, or to a body."""
    request = urllib.request.Request(SERVER + path, body and json.dumps(body).encode(), HEADERS)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def announced():
    """The id of a maintenance window that was not there before."""
    return ask("/api/v1/maintenance", {"from": 1, "to": 2, "text": "", "cause": {"dimension": "everything", "value": []}})["id"]


EVENT = ask("/api/v1/openapi.json")["paths"]["/api/v1/events"]["post"]["requestBody"]["content"]["application/json"]["example"]
INCIDENT = ask("/api/v1/incidents?limit=1")["items"][0]
PAIR = ask("/api/v1/aggregates?limit=1")["items"][0]
# A cursor is what an answer has said, and of no other route.
CURSORS = {
    path: ask(f"{path}?limit=1" + (f"&client_id={PAIR['client_id']}" if path == "/api/v1/events" else "")).get("next_cursor")
    for path in [
        "/api/v1/aggregates",
        "/api/v1/clients",
        "/api/v1/dead-letters",
        "/api/v1/diagnoses",
        "/api/v1/events",
        "/api/v1/incidents",
        "/api/v1/maintenance",
        "/api/v1/targets",
        "/api/v1/unmeasured",
    ]
}
CURSORS["/api/v1/incidents/{id}/pairs"] = ask(f"/api/v1/incidents/{INCIDENT['id']}/pairs?limit=1")["next_cursor"]


def whole(value):
    """The same JSON, where 1.0 is written as 1: both are integers for a schema, and only the latter is one here."""
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def map_case(context, case):
    """Gives a valid request what only the server knows."""
    if not case.meta or not case.meta.generation.mode.is_positive:
        return case
    case.body = whole(case.body)
    # A body that is compressed, or is lines of JSON, is a text without a schema.
    if "Content-Encoding" in (case.headers or {}):
        case.headers["Content-Encoding"] = "identity"
    if case.media_type in ("application/x-ndjson", "application/jsonl"):
        case.body = "\n".join(json.dumps(EVENT) for _ in range(2))
    if case.method == "DELETE" and case.operation.path == "/api/v1/maintenance/{id}":
        case.path_parameters["id"] = announced()
    if "cursor" in (case.query or {}):
        cursor = CURSORS[case.operation.path]
        case.query.update(cursor=cursor) if cursor else case.query.pop("cursor")
    return case


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a finding is one."""
    path = case.operation.path
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        message = response.json()["message"]
        return not any(re.fullmatch(where, path) and re.fullmatch(said, message) for where, said in EXPECTED)
    if isinstance(failure, ServerError) and path == "/api/v1/live":
        # A reader that has left keeps its seat until something is committed, and schemathesis leaves at once.
        return response.status_code != 503 or "too many live readers" not in response.text
    return True


def first_block(chunks, _timeout, _max_events):
    """The beginning of a stream: it says nothing more until something is committed."""
    content = b""
    for chunk in chunks:
        content += chunk
        if b"\n\n" in content:
            break
    return content, True


schemathesis.transport.requests.read_event_stream = first_block
