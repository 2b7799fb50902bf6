"""An FTP server with AUTH TLS, whose one account may look and fetch.

    ftp.py PORT USER PASSWORD FOLDER CERTIFICATE KEY
"""

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer

port, user, password, folder, certificate, key = sys.argv[1:]
authorizer = DummyAuthorizer()
authorizer.add_user(user, password, folder, perm="elr")
handler = TLS_FTPHandler
handler.certfile, handler.keyfile = certificate, key
handler.authorizer = authorizer
# Seconds until a refusal is told.
handler.auth_failed_timeout = 0.5
server = FTPServer(("127.0.0.1", int(port)), handler)
print("ready", flush=True)
server.serve_forever(handle_exit=True)
