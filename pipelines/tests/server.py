"""A server for the tests: server.py DIR PORT-FILE LOG, on a loopback port of the system's choice.

/PATH                 DIR/PATH
/git/PATH             DIR/PATH by git's own HTTP backend
/fail/TAG/N/CODE/PATH CODE for the first N requests with this TAG, then /PATH
/reset/TAG/N/PATH     half of the answer and a closed connection N times, then /PATH
/stall/TAG/N/PATH     nothing for a long time N times, then /PATH
/redirect/PATH        a redirect to /PATH
Each request is a line of LOG.
"""
import http.server, os, subprocess, sys, threading, time, urllib.parse

top, port_file, log = sys.argv[1:4]
seen, lock = {}, threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, code, body=b"", headers=(), cut=False):
        self.send_response(code)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = True

    def git(self, path):
        path, _, query = path.partition("?")
        env = dict(os.environ, GIT_PROJECT_ROOT=top, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path,
                   REQUEST_METHOD=self.command, QUERY_STRING=query, REMOTE_ADDR="127.0.0.1",
                   CONTENT_TYPE=self.headers.get("Content-Type", ""),
                   HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
                   GIT_PROTOCOL=self.headers.get("Git-Protocol", ""),
                   GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        got = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True).stdout
        head, _, body = got.partition(b"\r\n\r\n")
        fields = [tuple(h.split(": ", 1)) for h in head.decode().split("\r\n") if ": " in h]
        code = next((int(v[:3]) for k, v in fields if k == "Status"), 200)
        self.answer(code, body, [f for f in fields if f[0] != "Status"])

    def times(self, tag, n):
        with lock:
            seen[tag] = seen.get(tag, 0) + 1
            return seen[tag] <= int(n)

    def reply(self, path, cut=False):
        first, _, rest = path.lstrip("/").partition("/")
        if first == "git":
            return self.git("/" + rest)
        if first == "fail":
            tag, n, code, rest = rest.split("/", 3)
            return self.answer(int(code)) if self.times(tag, n) else self.reply(rest)
        if first == "reset":
            tag, n, rest = rest.split("/", 2)
            return self.reply(rest, self.times(tag, n))
        if first == "stall":
            tag, n, rest = rest.split("/", 2)
            return time.sleep(30) if self.times(tag, n) else self.reply(rest)
        if first == "redirect":
            return self.answer(302, headers=[("Location", "/" + rest)])
        name = urllib.parse.unquote(path.lstrip("/").partition("?")[0])
        try:
            with open(os.path.join(top, name), "rb") as f:
                self.answer(200, f.read(), cut=cut)
        except OSError:
            self.answer(404)

    def do_GET(self):
        with lock, open(log, "a") as f:
            f.write(f"{self.command} {self.path}\n")
        self.reply(self.path)

    do_POST = do_HEAD = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(port_file + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
