"""Lambda's control plane and S3's signed URLs, as far as the stand-in calls them, on a loopback port."""

import base64
import hashlib
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

REGION = "eu-central-1"
ACCOUNT = "210987654321"


def arn_of(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def code_sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


class LambdaDouble:
    """Answers `GetFunction`, `GetLayerVersionByArn` and downloads of what was published to it."""

    def __init__(self) -> None:
        self.functions: dict[str, dict[str, Any]] = {}
        self.layers: dict[str, dict[str, Any]] = {}
        self.downloads: dict[str, bytes | int | str] = {}
        self.faults: dict[str, tuple[int, str, str]] = {}
        self.seen: list[tuple[str, Mapping[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def publish(self, name: str, content: bytes, **configuration: Any) -> str:
        """Publish a zip function; returns its ARN."""
        self.downloads[f"/code/{name}"] = content
        self.functions[arn_of(name)] = {
            "Configuration": {
                "FunctionName": name,
                "FunctionArn": arn_of(name),
                "Runtime": "python3.13",
                "Role": f"arn:aws:iam::{ACCOUNT}:role/service-role/{name}",
                "Handler": "app.handler",
                "CodeSize": len(content),
                "CodeSha256": code_sha256(content),
                "LastModified": "2026-11-21T09:12:44.000+0000",
                "Version": "$LATEST",
                "State": "Active",
                "LastUpdateStatus": "Successful",
                "PackageType": "Zip",
                "Architectures": ["x86_64"],
                **configuration,
            },
            "Code": {"RepositoryType": "S3", "Location": self.signed(f"/code/{name}")},
        }
        return arn_of(name)

    def publish_layer(self, name: str, content: bytes) -> str:
        """Publish version 1 of a layer; returns its version ARN."""
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{name}:1"
        self.downloads[f"/layer/{name}"] = content
        self.layers[arn] = {
            "Content": {
                "Location": self.signed(f"/layer/{name}"),
                "CodeSha256": code_sha256(content),
                "CodeSize": len(content),
            },
            "LayerVersionArn": arn,
            "Version": 1,
        }
        return arn

    def signed(self, path: str) -> str:
        return f"{self.url}{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=5ec7e7"

    def environ(self) -> dict[str, str]:
        """The environment that the worker gives to the scanner."""
        return {
            "QUALYS_ACCESS_TOKEN": "eyJhbGciOiJSUzI1NiJ9.canary.c2lnbmF0dXJl",
            "AWS_ACCESS_KEY_ID": "ASIAQNZ5EXAMPLESPOKE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjEXAMPLE",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                double.seen.append((self.path, dict(self.headers)))
                status, headers, body = double._answer(self.path)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
                pass

        return Handler

    def _answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        address = urlsplit(path)
        if address.path in self.downloads:
            content = self.downloads[address.path]
            if isinstance(content, int):
                return content, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>"
            if isinstance(content, str):
                return 302, {"Location": content}, b""
            return 200, {"Content-Type": "application/zip"}, content
        if address.path.endswith("/layers"):
            arn = parse_qs(address.query)["Arn"][0]
            return self._json(arn, self.layers.get(arn))
        arn = unquote(address.path.rpartition("/functions/")[2])
        return self._json(arn, self.functions.get(arn))

    def _json(self, arn: str, found: dict[str, Any] | None) -> tuple[int, dict[str, str], bytes]:
        fault = self.faults.get(arn)
        if fault is None and found is None:
            fault = (404, "ResourceNotFoundException", f"Function not found: {arn}")
        if fault is None:
            return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()
        status, code, message = fault
        headers = {"x-amzn-ErrorType": code, "x-amzn-RequestId": "7a0f9c1e-1f1b-4a55-9d0e-2b6a5b1c9f3d"}
        return status, headers, json.dumps({"Type": "User", "Message": message}).encode()
