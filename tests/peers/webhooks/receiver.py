"""A receiver of Standard Webhooks with signatures `v1a`, written from their specification alone.

    receiver.py KEY     the signer's Ed25519 public key in hex

Listens on a free port of 127.0.0.1 and prints it as the first line; then a JSON line for each webhook that it
got: path, id, taken, body. Whatever does not hold is printed as `{"wrong": WHY}` and answered 400.

    /takes      takes everything
    /refuses    refuses each webhook once (503) before it takes it
    /gone       wants nothing more (410)
    /slow       answers nothing at all
"""

import base64
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

KEY = VerifyKey(bytes.fromhex(sys.argv[1]))
TOLERANCE = 300
out = threading.Lock()
refused = set()


def say(**line):
    with out:
        print(json.dumps(line), flush=True)


def verify(headers, body):
    """The webhook's id; ValueError where anything does not hold."""
    ident, sent = headers["webhook-id"], headers["webhook-timestamp"]
    signatures = headers["webhook-signature"]
    if ident is None or sent is None or signatures is None:
        raise ValueError("a header is missing")
    if abs(time.time() - int(sent)) > TOLERANCE:
        raise ValueError("the timestamp is too old or too new")
    message = f"{ident}.{sent}.".encode() + body
    for signature in signatures.split(" "):
        version, _, signature = signature.partition(",")
        if version != "v1a":
            continue
        try:
            KEY.verify(message, base64.b64decode(signature, validate=True))
            return ident
        except BadSignatureError:
            continue
    raise ValueError("no signature holds")


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            ident = verify(self.headers, body)
        except ValueError as error:
            say(wrong=str(error))
            return self.answer(400)
        status = self.status(ident)
        say(path=self.path, id=ident, taken=status == 204, body=json.loads(body))
        if status is None:
            # For longer than anybody waits.
            time.sleep(3600)
        self.answer(status)

    def status(self, ident):
        if self.path == "/refuses" and ident not in refused:
            refused.add(ident)
            return 503
        return {"/gone": 410, "/slow": None}.get(self.path, 204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
