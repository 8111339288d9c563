"""A server on loopback that speaks as those of language models do, and misbehaves as they do."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Says:
    """An answer."""

    text: str = ""
    stop: str = ""  # else the usual reason
    cached: int = 0  # tokens read from the cache
    cut: bool = False  # the connection ends in the middle


@dataclass(frozen=True)
class Fails:
    """An error."""

    status: int
    kind: str = ""
    message: str = "it fails"
    body: bytes | None = None  # instead of the usual one


@dataclass(frozen=True)
class Raw:
    """Anything else, as it is."""

    body: bytes
    kind: str = "application/json"


type Behaviour = Says | Fails | Raw
# Of a question in a batch, what becomes of it without an answer.
NOT_DONE = ("canceled", "expired")


@dataclass
class ModelServer:
    """Answers requests in turn, the last way for ever; keeps what it was asked."""

    behaviours: Sequence[Behaviour] | Callable[[dict[str, Any]], Behaviour]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""
    batches: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    batch_state: str = "ended"
    refusing: Fails | None = None  # of everything about batches

    def next(self, request: dict[str, Any], headers: dict[str, str]) -> Behaviour:
        with self.lock:
            self.requests.append(request)
            self.headers.append(headers)
            if callable(self.behaviours):
                return self.behaviours(request)
            return self.behaviours[min(len(self.requests), len(self.behaviours)) - 1]

    def questions(self) -> list[str]:
        """The last turn of each request."""
        return [text_of(request["messages"][-1]) for request in self.requests]

    @contextmanager
    def running(self) -> Iterator[Self]:
        handler = type("Handler", (_Handler,), {"server_of_models": self})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def text_of(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else content[-1]["text"]


class _Handler(BaseHTTPRequestHandler):
    server_of_models: ModelServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        request = json.loads(body)
        if self.path.endswith("/messages/batches"):
            self._begin_batch(request["requests"])
            return
        behaviour = self.server_of_models.next(request, dict(self.headers.items()))
        anthropic = self.path.endswith("/messages")
        match behaviour:
            case Fails():
                self._fail(behaviour, anthropic=anthropic)
            case Raw(body=raw, kind=kind):
                self._send(200, raw, kind)
            case Says():
                whole = _events(request, behaviour) if anthropic else _chat(request, behaviour)
                kind = "text/event-stream" if anthropic else "application/json"
                self._send(200, whole, kind, cut=behaviour.cut)

    def _begin_batch(self, requests: list[dict[str, Any]]) -> None:
        server = self.server_of_models
        if server.refusing:
            self._fail(server.refusing, anthropic=True)
            return
        number = f"msgbatch_{len(server.batches) + 1}"
        server.batches[number] = requests
        self._send_json(_batch(number, "in_progress", ""))

    def do_GET(self) -> None:
        server = self.server_of_models
        number, _, results = self.path.partition("/messages/batches/")[2].partition("/")
        if server.refusing or number not in server.batches:
            self._fail(server.refusing or Fails(404, "not_found_error"), anthropic=True)
        elif results:
            rows = [
                _batch_row(one, server.next(one["params"], {})) for one in server.batches[number]
            ]
            lines = "".join(f"{json.dumps(row)}\n" for row in reversed(rows))
            self._send(200, lines.encode(), "application/x-jsonl")
        else:
            url = f"{server.url}/v1/messages/batches/{number}/results"
            self._send_json(_batch(number, server.batch_state, url))

    def _send_json(self, document: dict[str, Any]) -> None:
        self._send(200, json.dumps(document).encode(), "application/json")

    def _fail(self, failure: Fails, *, anthropic: bool) -> None:
        error = {"type": failure.kind, "message": failure.message}
        document: dict[str, Any] = {"type": "error", "error": error}
        if not anthropic:
            document = {"error": {**error, "code": failure.kind, "param": None}}
        raw = json.dumps(document).encode() if failure.body is None else failure.body
        self._send(failure.status, raw, "application/json")

    def _send(self, status: int, raw: bytes, kind: str, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(raw)))
        self.send_header("retry-after-ms", "1")
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(raw[: len(raw) // 2] if cut else raw)
        self.close_connection = True


def _batch(number: str, state: str, url: str) -> dict[str, Any]:
    counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    return {
        "id": number,
        "type": "message_batch",
        "processing_status": state,
        "request_counts": counts,
        "created_at": "2026-11-23T00:00:00Z",
        "expires_at": "2026-11-24T00:00:00Z",
        "ended_at": "2026-11-23T01:00:00Z" if state == "ended" else None,
        "cancel_initiated_at": None,
        "archived_at": None,
        "results_url": url if state == "ended" else None,
    }


def _batch_row(request: dict[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    match behaviour:
        case Says():
            message = _message(request["params"], behaviour)
            message["content"] = (
                [{"type": "text", "text": behaviour.text}] if behaviour.text else []
            )
            message["stop_reason"] = behaviour.stop or "end_turn"
            message["usage"]["output_tokens"] = 40
            result: dict[str, Any] = {"type": "succeeded", "message": message}
        case Fails(kind=kind) if kind in NOT_DONE:
            result = {"type": kind}
        case Fails(kind=kind, message=said):
            error = {"type": "error", "error": {"type": kind, "message": said}, "request_id": "r"}
            result = {"type": "errored", "error": error}
        case _:
            result = {"type": "nonsense"}
    return {"custom_id": request["custom_id"], "result": result}


def _message(request: dict[str, Any], says: Says) -> dict[str, Any]:
    usage = {"input_tokens": 100, "output_tokens": 1, "cache_read_input_tokens": says.cached}
    usage["cache_creation_input_tokens"] = 0 if says.cached else 50
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _events(request: dict[str, Any], says: Says) -> bytes:
    message = _message(request, says)
    ended = {"stop_reason": says.stop or "end_turn", "stop_sequence": None}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    if says.text:
        half = len(says.text) // 2
        begin = {"type": "text", "text": ""}
        events.append({"type": "content_block_start", "index": 0, "content_block": begin})
        for part in (says.text[:half], says.text[half:]):
            delta = {"type": "text_delta", "text": part}
            events.append({"type": "content_block_delta", "index": 0, "delta": delta})
        events.append({"type": "content_block_stop", "index": 0})
    events.append({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 40}})
    events.append({"type": "message_stop"})
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )


def _chat(request: dict[str, Any], says: Says) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": says.text or None, "refusal": None},
        "finish_reason": says.stop or "stop",
        "logprobs": None,
    }
    usage = {"prompt_tokens": 150, "completion_tokens": 40, "total_tokens": 190}
    details = {"prompt_tokens_details": {"cached_tokens": says.cached}}
    document = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": request["model"],
        "choices": [choice],
        "usage": {**usage, **details},
    }
    return json.dumps(document).encode()
