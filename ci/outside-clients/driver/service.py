"""The service APIs by plain HTTPS: what the driver itself needs, with no SDK."""

import base64
import hashlib
import hmac
import http.client
import json
import ssl
import time
import urllib.parse


class Service:
    """A service API behind a connection string."""

    def __init__(self, connection_string, authority, version):
        parts = dict(part.split("=", 1) for part in connection_string.strip().split(";"))
        self.host = parts["HostName"]
        self.name = parts["SharedAccessKeyName"]
        self.key = base64.b64decode(parts["SharedAccessKey"])
        self.context = ssl.create_default_context(cafile=authority)
        self.version = version

    def token(self):
        """A SAS token for one hour."""
        resource = urllib.parse.quote(self.host, safe="")
        expiry = int(time.time()) + 3600
        digest = hmac.new(self.key, f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
        signature = urllib.parse.quote(base64.b64encode(digest), safe="")
        return f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={self.name}"

    def call(self, method, path, body=None, **headers):
        """Answers with status, headers and the body's JSON; a body in bytes goes as it is."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection = http.client.HTTPSConnection(self.host, context=self.context, timeout=20)
        connection.request(
            method,
            f"{path}?api-version={self.version}",
            body,
            {"Authorization": self.token(), "Content-Type": "application/json", **headers},
        )
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), json.loads(text) if text else None

    def must(self, method, path, body=None, **headers):
        """Like `call`, for what has to succeed."""
        status, _, answer = self.call(method, path, body, **headers)
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path} was answered {status}: {answer}")
        return answer


def derived_key(group_key, registration_id):
    """The key of a device in a symmetric-key group."""
    key = base64.b64decode(group_key)
    digest = hmac.new(key, registration_id.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
