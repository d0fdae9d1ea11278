"""An OTLP/HTTP endpoint that decodes what comes by OpenTelemetry's published definitions; see `collect`."""

import base64
import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
SILENT = "--silent" in sys.argv[2:]
SINK = "--sink" in sys.argv[2:]

if not (SILENT or SINK):
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    from opentelemetry.proto_json.collector.trace.v1.trace_service import ExportTraceServiceRequest

IDS = {"traceId", "spanId", "parentSpanId"}


def decoded(body: bytes):
    """The request as protobuf. Raises for what either definition does not know or reads otherwise."""
    document = json.loads(body)
    known = ExportTraceServiceRequest.from_dict(document).to_dict()
    if known != document:
        raise ValueError(f"not what OTLP's JSON has: {document} was read as {known}")
    return json_format.ParseDict(with_base64_ids(document), trace_service_pb2.ExportTraceServiceRequest())


def with_base64_ids(value):
    """Protobuf's own JSON has bytes in base64, OTLP's has IDs in hexadecimal."""
    if isinstance(value, list):
        return [with_base64_ids(item) for item in value]
    if isinstance(value, dict):
        return {
            name: base64.b64encode(bytes.fromhex(item)).decode() if name in IDS else with_base64_ids(item)
            for name, item in value.items()
        }
    return value


def attributes(pairs) -> dict:
    values = {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
    # Lists stay messages.
    return {key: json_format.MessageToDict(value) if hasattr(value, "DESCRIPTOR") else value for key, value in values.items()}


def spans(request):
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield {
                    "resource": attributes(resource.resource.attributes),
                    "scope": scope.scope.name,
                    "traceId": span.trace_id.hex(),
                    "spanId": span.span_id.hex(),
                    "parentSpanId": span.parent_span_id.hex(),
                    "traceState": span.trace_state,
                    "flags": span.flags,
                    "name": span.name,
                    "kind": type(span).SpanKind.Name(span.kind),
                    "start": span.start_time_unix_nano,
                    "end": span.end_time_unix_nano,
                    "attributes": attributes(span.attributes),
                    "isError": span.status.code == span.status.STATUS_CODE_ERROR,
                }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if SILENT:
            threading.Event().wait()
        if SINK:
            return self.answer(200)
        try:
            if self.path != "/v1/traces" or self.headers["Content-Type"] != "application/json":
                raise ValueError(f"{self.path} {self.headers['Content-Type']}")
            lines = [json.dumps(span | {"key": self.headers["x-key"]}) + "\n" for span in spans(decoded(body))]
            with self.lock, open(FOLDER / "spans.jsonl", "a", encoding="utf-8") as file:
                file.writelines(lines)
            self.answer(200)
        except Exception as error:  # pylint: disable=broad-except  # whatever it is, the sender is at fault
            print(f"refused: {error!r}", file=sys.stderr, flush=True)
            self.answer(400)

    def answer(self, status: int):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


# Whoever starts this may have it blocked.
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
port = FOLDER / "collector.port"
port.with_suffix(".new").write_text(f"{server.server_port}\n")
port.with_suffix(".new").rename(port)
server.serve_forever()
