#!/usr/bin/env python3
"""usage: remote.py DIR ROOT [--tls CERT KEY] [--password USER:PASS]

Serves ROOT on a free port of 127.0.0.1 for tests. Writes DIR/port, and every request to DIR/log."""
import argparse, base64, functools, os, ssl
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

ap = argparse.ArgumentParser()
ap.add_argument('dir')
ap.add_argument('root')
ap.add_argument('--tls', nargs=2)
ap.add_argument('--password')
o = ap.parse_args()


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        with open(o.dir + '/log', 'a') as f:
            f.write('%s %s\n' % (self.path, self.headers.get('User-Agent')))
        if o.password and self.headers.get('Authorization') != 'Basic ' + base64.b64encode(o.password.encode()).decode():
            return self.send_error(401)
        super().do_GET()


server = ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Handler, directory=o.root))
if o.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*o.tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(o.dir + '/port.new', 'w') as f:
    f.write(str(server.server_address[1]))
os.rename(o.dir + '/port.new', o.dir + '/port')
server.serve_forever()
