"""A mail server on loopback: aiosmtpd, which knows nothing of us.

Usage: mail.py PORT CERTIFICATE KEY OUT
Takes mail after STARTTLS alone. The first mail is put off (451); mail to an address that begins with
"gone" is refused (550). Each mail that is taken becomes a line of JSON in OUT.
Prints "ready" once it listens, and runs until it is ended.
"""

import email
import email.policy
import json
import ssl
import sys
import threading

from aiosmtpd.controller import Controller


class Taker:
    def __init__(self, out):
        self.out = out
        self.put_off = False

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        if not self.put_off:
            self.put_off = True
            return "451 try again later"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        taken = {
            "tls": session.ssl is not None,
            "to": envelope.rcpt_tos,
            "id": mail["message-id"],
            "subject": mail["subject"],
            "automatic": mail["auto-submitted"],
            "text": mail.get_content(),
        }
        with open(self.out, "a", encoding="utf-8") as file:
            file.write(json.dumps(taken) + "\n")
        return "250 taken"


def main(port, certificate, key, out):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = Controller(
        Taker(out), hostname="127.0.0.1", port=int(port), tls_context=context, require_starttls=True
    )
    server.start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
