"""A mail server for tests: aiosmtpd, with dkimpy as the judge of every signature.

    server.py FOLDER [--tls] [--key NAME=PEM]…

Makes the sender's keys (FOLDER/rsa.pem, FOLDER/ed25519.pem) and, with --tls, a certificate (FOLDER/tls.pem)
and demands STARTTLS. With --key it also knows the Ed25519 key in PEM under a name in DNS, from when it is first
asked for it: who signs may make its key once it knows the port. Listens on a free port of 127.0.0.1 and prints `port N`; then one line of JSON for every
message that it took, with dkimpy's verdict. How it treats somebody is in the local part of the address:

    bounce…   550 5.1.1, always: no such user
    blocked…  554 5.7.1, always: the sender is on a list
    grey…     451 at first, and taken when it comes again
    slow…     taken after two seconds
    hang-up…  taken, and the line is cut before it says so
"""

import asyncio
import base64
import datetime
import functools
import json
import pathlib
import socket
import ssl
import sys
from email import message_from_bytes
from email.header import decode_header, make_header

import dkim
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as form
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import NameOID

folder = pathlib.Path(sys.argv[1])
PEM, DER = form.Encoding.PEM, form.Encoding.DER


def write(name, key):
    private = key.private_bytes(PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    (folder / name).write_bytes(private)


def record(key):
    """What the sender's DNS would say of a key (RFC 6376, section 3.6.1; RFC 8463)."""
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        kind, public = b"rsa", public.public_bytes(DER, form.PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, public = b"ed25519", public.public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
    return b"v=DKIM1; k=" + kind + b"; p=" + base64.b64encode(public)


def made():
    """Both keys' records."""
    one, other = rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()
    write("rsa.pem", one)
    write("ed25519.pem", other)
    return {
        "rsa._domainkey.bank.example.": record(one),
        "ed25519._domainkey.bank.example.": record(other),
    }


def dns(arguments):
    """Records by name: of the keys made here and of those named by --key."""
    own = made()
    named = dict(arguments[at + 1].split("=", 1) for at, text in enumerate(arguments) if text == "--key")

    @functools.cache
    def look_up(name):
        if name.rstrip(".") in named:
            pem = pathlib.Path(named[name.rstrip(".")]).read_bytes()
            return record(form.load_pem_private_key(pem, None))
        return own.get(name)

    return lambda name, timeout=5: look_up(name.decode())


def certificate():
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    builder = builder.add_extension(names, False)
    signed = builder.sign(key, hashes.SHA256())
    (folder / "tls.pem").write_bytes(signed.public_bytes(PEM))
    write("tls.key", key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
    return context


def header(value):
    """Unfolded, its encoded words decoded. (The library's newer policy takes five times as long for a message.)"""
    value = value.replace("\r\n", "")
    return str(make_header(decode_header(value))) if "=?" in value else value


class Handler:
    def __init__(self, dns):
        self.dns, self.known = dns, set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("bounce"):
            return f"550 5.1.1 <{address}> no such user"
        if address.startswith("blocked"):
            return "554 5.7.1 the sender is on a list"
        if address.startswith("grey") and address not in self.known:
            self.known.add(address)
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        raw, to = envelope.original_content, envelope.rcpt_tos[0]
        mail = message_from_bytes(raw)
        told = {
            "to": to,
            "from": envelope.mail_from,
            "dkim": dkim.verify(raw, dnsfunc=self.dns),
            "tls": session.ssl is not None,
            "headers": [[name, header(value)] for name, value in mail.items()],
            "body": mail.get_payload(decode=True).decode(mail.get_content_charset("ascii")),
        }
        print(json.dumps(told), flush=True)
        if to.startswith("slow"):
            await asyncio.sleep(2)
        if to.startswith("hang-up"):
            server.transport.abort()
        return "250 OK"


class Prompt(SMTP):
    """Acknowledges at once. A client that ends a message by a write of its own waits for that, 40 ms for each mail."""

    def data_received(self, data):
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        super().data_received(data)


async def serve():
    context = certificate() if "--tls" in sys.argv else None
    handler = Handler(dns(sys.argv))
    smtp = lambda: Prompt(handler, hostname="mail.example", tls_context=context, require_starttls=context is not None)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(smtp, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    # Until whoever started it is gone.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(serve())
