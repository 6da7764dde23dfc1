#!/usr/bin/env python3
"""usage: registry.py DIR [--auth none|basic|token] [--tls CERT KEY] [--flaky N] [--refuse]

A registry on a free port of 127.0.0.1 for tests, in memory: blobs and manifests by the
distribution specification. Writes DIR/port, and every request to DIR/log. --flaky: the first N
uploads of each kind of request are answered 503 or broken off. --refuse: writing is forbidden.
User `user`, password `pass word`."""
import argparse, base64, hashlib, json, os, ssl, sys, threading, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ap = argparse.ArgumentParser()
ap.add_argument('dir')
ap.add_argument('--auth', default='none')
ap.add_argument('--tls', nargs=2)
ap.add_argument('--flaky', type=int, default=0)
ap.add_argument('--refuse', action='store_true')
ap.add_argument('--away', help='where uploads are sent to')
o = ap.parse_args()
blobs, manifests, uploads, fails = {}, {}, {}, {}
lock = threading.Lock()
TOKEN = 'dG9rZW4.of-the_test'
BASIC = 'Basic ' + base64.b64encode(b'user:pass word').decode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def answer(self, status, body=b'', **headers):
        if isinstance(body, str):
            body = body.encode()
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace('_', '-'), v)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def error(self, status, code, message, **headers):
        self.answer(status, json.dumps({'errors': [{'code': code, 'message': message}]}), **headers)

    def body(self):
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))

    def allowed(self):
        got = self.headers.get('Authorization')
        want = {'none': None, 'basic': BASIC, 'token': 'Bearer ' + TOKEN}[o.auth]
        if want is None or got == want:
            return True
        scheme = 'https' if o.tls else 'http'
        challenge = 'Basic realm="test"' if o.auth == 'basic' else \
            'Bearer realm="%s://%s/token?x=1",service="the, test"' % (scheme, self.headers['Host'])
        self.error(401, 'UNAUTHORIZED', 'authentication required', WWW_Authenticate=challenge)
        return False

    def token(self, query):
        if self.headers.get('Authorization') != BASIC:
            return self.error(401, 'UNAUTHORIZED', 'wrong password')
        if query.get('service') != ['the, test'] or query.get('x') != ['1'] or \
                'repository:%s:push,pull' % open(o.dir + '/repo').read().strip() not in query.get('scope', []):
            return self.error(400, 'BAD', 'wrong scope or service: %r' % query)
        self.answer(200, json.dumps({'token': TOKEN}))

    def flaky(self):
        with lock:
            n = fails[self.command] = fails.get(self.command, 0) + 1
        if n > o.flaky or self.command in ('GET', 'HEAD'):
            return False
        if n % 2:
            self.error(503, 'BUSY', 'try again', Retry_After='0', Connection='close')
        self.close_connection = True
        return True

    def run(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        with lock, open(o.dir + '/log', 'a') as f:
            f.write('%s %s\n' % (self.command, self.path))
        body = self.body()
        if url.path == '/token':
            return self.token(query)
        if self.flaky() or not self.allowed():
            return
        if url.path == '/v2/':
            return self.answer(200, '{}')
        name, _, rest = url.path[4:].rpartition('/blobs/')
        if name:
            return self.blob(name, rest, query, body)
        name, _, rest = url.path[4:].rpartition('/manifests/')
        return self.manifest(name, rest, body)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = run

    def blob(self, name, rest, query, body):
        if self.command in ('GET', 'HEAD'):
            b = blobs.get((name, rest))
            return self.error(404, 'BLOB_UNKNOWN', rest) if b is None else self.answer(200, b)
        if o.refuse:
            return self.error(403, 'DENIED', 'you may not\nwrite here')
        if self.command == 'POST':
            uploads[str(len(uploads))] = b''
            return self.answer(202, Location=(o.away or '') + '/v2/%s/blobs/uploads/%d?s=a%%2Fb' % (name, len(uploads) - 1))
        key = rest.split('/')[-1]
        if query.get('s') != ['a/b']:
            return self.error(400, 'BAD', 'the query is gone')
        uploads[key] += body
        if self.command == 'PATCH':
            return self.answer(202, Location='%s?s=a%%2Fb' % key)
        digest = query['digest'][0]
        if digest != 'sha256:' + hashlib.sha256(uploads[key]).hexdigest():
            return self.error(400, 'DIGEST_INVALID', digest)
        blobs[name, digest] = uploads.pop(key)
        uploads[key] = b''
        self.answer(201)

    def manifest(self, name, ref, body):
        if self.command in ('GET', 'HEAD'):
            m = manifests.get((name, ref))
            if m is None:
                return self.error(404, 'MANIFEST_UNKNOWN', ref)
            return self.answer(200, m[1], Content_Type=m[0], Docker_Content_Digest='sha256:' + hashlib.sha256(m[1]).hexdigest())
        doc = json.loads(body)
        for d in doc.get('layers', []) + ([doc['config']] if 'config' in doc else []):
            if len(blobs.get((name, d['digest']), b'')) != d['size']:
                return self.error(400, 'MANIFEST_BLOB_UNKNOWN', d['digest'])
        for d in doc.get('manifests', []):
            if (name, d['digest']) not in manifests:
                return self.error(400, 'MANIFEST_UNKNOWN', d['digest'])
        if self.headers['Content-Type'] != doc['mediaType']:
            return self.error(400, 'MANIFEST_INVALID', 'type')
        digest = 'sha256:' + hashlib.sha256(body).hexdigest()
        for key in (ref, digest):
            manifests[name, key] = (doc['mediaType'], body)
        self.answer(201, Docker_Content_Digest=digest)


server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
if o.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*o.tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(o.dir + '/port.new', 'w') as f:
    f.write(str(server.server_address[1]))
os.rename(o.dir + '/port.new', o.dir + '/port')
server.serve_forever()
