"""MLflow tracking servers for tests: a small one in this process that keeps the requests, and the real one."""

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

PREFIX = "/api/2.0/mlflow/"
START_SECONDS = 120


class FakeServer:
    """The part of an MLflow server that an export needs, in memory.

    ``requests`` has the path and the content of each request; ``answer`` replaces the answers to paths by a status and
    a body.
    """

    def __init__(self):
        self.requests, self.answer = [], {}
        self.experiments, self.runs = {}, {}

    def handle(self, path, content):
        """The status and the document for a request."""
        self.requests.append((path, content))
        if path in self.answer:
            return self.answer[path]
        return getattr(self, re.sub(r"\W", "_", path))(content)

    def experiments_get_by_name(self, content):
        """An experiment by its name."""
        name = content["experiment_name"]
        if name not in self.experiments:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"No experiment {name!r}"}
        return 200, {"experiment": {"experiment_id": self.experiments[name], "name": name}}

    def experiments_create(self, content):
        """A new experiment."""
        self.experiments[content["name"]] = str(len(self.experiments) + 1)
        return 200, {"experiment_id": self.experiments[content["name"]]}

    def runs_search(self, content):
        """The runs with all tags of the filter."""
        wanted = dict(re.findall(r"tags\.`(.+?)` = '(.+?)'", content["filter"]))
        found = [
            {
                "info": {"run_id": run_id, "status": run["status"]},
                "data": {"tags": [{"key": key, "value": value} for key, value in run["tags"].items()]},
            }
            for run_id, run in self.runs.items()
            if wanted.items() <= run["tags"].items() and run["experiment"] in content["experiment_ids"]
        ]
        return 200, {"runs": found} if found else {}

    def runs_create(self, content):
        """A new run."""
        run_id = f"run{len(self.runs)}"
        tags = {tag["key"]: tag["value"] for tag in content["tags"]}
        self.runs[run_id] = {
            "experiment": content["experiment_id"],
            "name": content["run_name"],
            "status": "RUNNING",
            "tags": tags,
            "metrics": [],
            "params": {},
        }
        return 200, {"run": {"info": {"run_id": run_id}}}

    def runs_log_batch(self, content):
        """Metrics, parameters and tags of a run."""
        run = self.runs[content["run_id"]]
        assert len(content.get("metrics", ())) <= 1000
        assert len(content.get("params", ())) <= 100
        run["metrics"] += [(each["key"], each["step"], each["value"]) for each in content.get("metrics", ())]
        for kind in ("params", "tags"):
            run[kind] |= {each["key"]: each["value"] for each in content.get(kind, ())}
        return 200, {}

    def runs_update(self, content):
        """The status of a run."""
        self.runs[content["run_id"]] |= {"status": content["status"], "ended": content.get("end_time")}
        return 200, {"run_info": {}}

    def runs_delete_tag(self, content):
        """Remove a tag."""
        del self.runs[content["run_id"]]["tags"][content["key"]]
        return 200, {}


@contextmanager
def fake_server():
    """Run a ``FakeServer`` on the loopback interface; yields it with its address as ``uri``."""
    fake = FakeServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})

        def do_POST(self):
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, content):
            fake.headers = self.headers
            status, document = fake.handle(urlsplit(self.path).path.removeprefix(PREFIX), content)
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fake.uri = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def mlflow_python():
    """The Python that has MLflow: that of the variable MLFLOW_PYTHON, or this one; None if neither has it."""
    return os.environ.get("MLFLOW_PYTHON") or (sys.executable if importlib.util.find_spec("mlflow") else None)


@contextmanager
def real_server(python, directory):
    """Run ``mlflow server`` on the loopback interface with a database in a directory; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    command = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{directory}/mlflow.db", "--default-artifact-root", f"{directory}/a"]
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(uri, process, directory / "server.log")
        yield uri
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _wait(uri, process, log):
    """Wait until a server answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(f"{uri}/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(log.read_text(encoding="utf-8")[-2000:])
