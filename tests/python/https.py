"""A receiver of webhooks over TLS on loopback: Python's own server, which knows nothing of us.

Usage: https.py PORT CERTIFICATE KEY OUT
Takes every message: its body becomes a line of OUT. Prints "ready" once it listens, and runs until it
is ended.
"""

import http.server
import ssl
import sys


def main(port, certificate, key, out):
    class Taker(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            with open(out, "ab") as file:
                file.write(body + b"\n")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Taker)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
