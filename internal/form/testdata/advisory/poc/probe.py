#!/usr/bin/env python3
"""Ask a Larkspur Portal whether its layout import runs before the session check.

Larkspur Portal is a fictional product. The request carries an empty package:
it stores nothing, starts nothing and changes nothing, on any software.

usage: probe.py http://192.0.2.80:8080
"""

import http.client
import sys
import urllib.parse

# Fixed so that a run can be found in the logs of the machine under test.
TRACE = "{{token:hex#trace}}"
BOUNDARY = "{{token:uuid#boundary}}"
PACKAGE = "{{token:base62#package}}.layout"

# The handler reads its parameters by name.
QUERY = [
    ("trace", TRACE),
    # order
    ("site", "default"),
    ("mode", "replace"),
    ("lang", "en"),
    ("dry", "yes"),
    # end
]

FIELDS = [
    # order
    ("title", "empty"),
    ("owner", "nobody"),
    ("theme", "plain"),
    ("notes", "none"),
    # end
]


def body():
    parts = []
    for name, value in FIELDS:
        parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n')
    # An empty file: {{there is nothing to unpack|the handler has nothing to unpack}}.
    parts.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="package"; filename="{PACKAGE}"\r\n'
        "Content-Type: application/zip\r\n\r\n\r\n"
    )
    return "".join(parts) + f"--{BOUNDARY}--\r\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = urllib.parse.urlsplit(sys.argv[1])
    if target.scheme != "http" or not target.hostname:
        sys.exit("{{give|name}} the portal as http://host:port")
    connection = http.client.HTTPConnection(target.hostname, target.port or 80, timeout=10)
    connection.request(
        "POST",
        "/portal/layout/import?" + urllib.parse.urlencode(QUERY),
        body(),
        {
            "Content-Type": "multipart/form-data; boundary=" + BOUNDARY,
            "Referer": sys.argv[1].rstrip("/") + "/portal/signout",
            "User-Agent": "larkspur-probe/1.2",
        },
    )
    reply = connection.getresponse()
    reply.read()
    if reply.status == 202 and reply.getheader("X-Larkspur-Import") == "queued":
        print("{{faulty|flawed}}: the import handler {{answered|replied to}} a caller who has not signed in")
        return 1
    print("the import handler {{refused|rejected|turned down}} the request")
    return 0


if __name__ == "__main__":
    sys.exit(main())
