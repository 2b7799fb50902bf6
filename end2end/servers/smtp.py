"""An SMTP server that demands sign-in, by STARTTLS or in clear text.

    smtp.py PORT USER PASSWORD CERTIFICATE KEY
"""

import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

port, user, password, certificate, key = sys.argv[1:]


def authenticate(server, session, envelope, mechanism, credentials):
    right = isinstance(credentials, LoginPassword) and (credentials.login, credentials.password) == (user.encode(), password.encode())
    return AuthResult(success=right, handled=False)


class Refuse:
    """Signing in is all that is tested: no mail is taken."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        return "550 no mailbox here"


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
controller = Controller(
    Refuse(), hostname="127.0.0.1", port=int(port), tls_context=context,
    authenticator=authenticate, auth_required=True, auth_require_tls=False,
)
controller.start()
print("ready", flush=True)
threading.Event().wait()
