"""An STS that answers at once and checks nothing, so that our own part of vending can be told apart."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = b"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIABENCHBENCHBENCH1</AccessKeyId>
<SecretAccessKey>benchbenchbenchbenchbenchbenchbenchbench</SecretAccessKey><SessionToken>bench</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
<ResponseMetadata><RequestId>bench</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>"""


class Handler(BaseHTTPRequestHandler):
    """Gives the same credentials to everyone."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # one packet: two would wait for each other 40 ms
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-type", "text/xml")
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
