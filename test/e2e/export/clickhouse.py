"""ClickHouse's HTTP interface over the engine in the Python package chdb: clickhouse.py PORT FOLDER.

As far as clickhouse-go and the tests use it: queries in the body, or in the URL with data in the
body. Data is in the Native format of protocol revision 0, which is what the engine itself reads and
writes; the first answer, which says so, has to be in the client's revision.
"""

import json
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb import session

HELLO = "SELECT displayName(), version(), revision(), timezone()"

engine = session.Session(sys.argv[2])
turn = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        options = dict(parse_qsl(urlsplit(self.path).query))
        body = self.body()
        try:
            with turn:
                answer, status = run(options, body), 200
        except Exception as error:
            print(error, file=sys.stderr, flush=True)
            answer, status = str(error).encode(), 500
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, *_):
        pass


def run(options, body):
    if "query" in options:
        return insert(options["query"], body)
    query = body.decode()
    if query == HELLO:
        return hello()
    params = {name[6:]: value for name, value in options.items() if name.startswith("param_")}
    return engine.query(query, options.get("default_format", "TSV"), params=params).bytes()


def insert(query, data):
    """What the server does with an INSERT … FORMAT Native whose data is the body."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        into = query[: query.index("FORMAT Native")]
        engine.query(f"{into} FROM INFILE '{file.name}' FORMAT Native")
    return b""


def hello():
    """The server's name, version, revision 0 and time zone, as one block of the client's revision."""
    found = engine.query("SELECT displayName() AS n, version() AS v, timezone() AS z", "JSONEachRow")
    one = json.loads(found.bytes())
    columns = [
        ("displayName()", "String", text(one["n"])),
        ("version()", "String", text(one["v"])),
        ("revision()", "UInt32", bytes(4)),
        ("timezone()", "String", text(one["z"])),
    ]
    # Block info: not overflown, no bucket. Then the numbers of columns and rows.
    block = b"\x01\x00\x02\xff\xff\xff\xff\x00" + bytes([len(columns), 1])
    # Each column: name, type, no serialization of its own, data.
    return block + b"".join(text(name) + text(kind) + b"\x00" + data for name, kind, data in columns)


def text(value):
    data = value.encode()
    assert len(data) < 128
    return bytes([len(data)]) + data


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.daemon_threads = True
print("ready", flush=True)
server.serve_forever()
