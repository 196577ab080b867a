/// Servers in Python for the tests: `aiosmtpd`, by its users' way of embedding it, and one that ends connections early.
enum SMTPTestScript {
    static let source = #"""
        import asyncio, itertools, json, ssl, sys

        def report(**fields):
            print(json.dumps(fields), flush=True)

        def aiosmtpd_server(options):
            from aiosmtpd.smtp import SMTP, AuthResult
            class Handler:
                async def handle_DATA(self, server, session, envelope):
                    report(sender=envelope.mail_from, recipient=envelope.rcpt_tos[0], recipients=str(len(envelope.rcpt_tos)),
                           content=envelope.content.decode("utf-8"), tls=str(session.ssl is not None),
                           user=(session.auth_data or b"").decode(), options=" ".join(envelope.mail_options),
                           helo=session.host_name)
                    return "250 2.0.0 Ok: queued as PY%d" % id(envelope)
            def authenticate(server, session, envelope, mechanism, data):
                good = data.login == b"user" and data.password == b"pass word"
                return AuthResult(success=good, handled=good, auth_data=data.login)
            context = None
            if "cert" in options:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(options["cert"], options["key"])
                if "tlsmax" in options:
                    context.minimum_version = ssl.TLSVersion.TLSv1
                    context.maximum_version = getattr(ssl.TLSVersion, options["tlsmax"])
                    context.set_ciphers("ALL:@SECLEVEL=0")
            implicit = options.get("tls") == "implicit"
            auth = options.get("auth")
            # "utf8=3" offers SMTPUTF8 on each third connection.
            made = itertools.count(1)
            def utf8():
                said = options.get("utf8", "no")
                return next(made) % int(said) == 0 if said.isdigit() else said == "yes"
            def make():
                return SMTP(Handler(), hostname="py.example.com", enable_SMTPUTF8=utf8(),
                            tls_context=None if implicit else context, require_starttls=options.get("tls") == "required",
                            authenticator=authenticate if auth else None, auth_required=bool(auth),
                            auth_require_tls=bool(auth) and not implicit and context is not None,
                            auth_exclude_mechanism=["PLAIN"] if auth == "login" else None,
                            data_size_limit=int(options.get("size", "33554432")), loop=asyncio.get_running_loop())
            return make, context if implicit else None

        # Takes "limit" messages on a connection, then answers the next MAIL by "end" and closes.
        class Limited(asyncio.Protocol):
            connections = 0
            def __init__(self, options):
                self.limit, self.end, self.count, self.buffer, self.text = int(options["limit"]), options["end"], 0, b"", False
            def connection_made(self, transport):
                Limited.connections += 1
                self.transport = transport
                transport.write(b"220 limited\r\n")
            def data_received(self, data):
                self.buffer += data
                while b"\n" in self.buffer and not self.transport.is_closing():
                    line, self.buffer = self.buffer.split(b"\n", 1)
                    self.take(line.rstrip(b"\r"))
            def take(self, line):
                if self.text:
                    if line == b".":
                        self.text = False
                        self.count += 1
                        report(recipient=self.recipient, connection=str(Limited.connections))
                        self.transport.write(b"250 taken\r\n")
                elif line.startswith(b"EHLO"):
                    self.transport.write(b"250-limited\r\n250 PIPELINING\r\n")
                elif line.startswith(b"MAIL") and self.count >= self.limit:
                    self.transport.write((self.end + "\r\n").encode() if self.end else b"")
                    self.transport.close()
                elif line.startswith(b"RCPT"):
                    self.recipient = line[9:-1].decode()
                    self.transport.write(b"250 ok\r\n")
                elif line == b"DATA":
                    self.text = True
                    self.transport.write(b"354 go\r\n")
                else:
                    self.transport.write(b"250 ok\r\n")

        # Says nothing more from the stage "at" on, for recipients that begin with "stall"; "text" stops reading within the
        # text, and goes on after a while or ("end=reset") resets the connection. At the connection's end it reports how many
        # final dots it saw.
        class Stalling(asyncio.Protocol):
            def __init__(self, options):
                self.at, self.end, self.buffer, self.text, self.dots = options["at"], options.get("end"), b"", False, 0
                self.stalls = self.is_silent = False
            def connection_made(self, transport):
                self.transport = transport
                transport.write(b"220 stalling\r\n")
            def connection_lost(self, reason):
                report(event="lost", dots=str(self.dots))
            def data_received(self, data):
                if self.text and self.stalls and self.at == "text": self.stop_reading()
                self.buffer += data
                while b"\n" in self.buffer:
                    line, self.buffer = self.buffer.split(b"\n", 1)
                    self.take(line.rstrip(b"\r"))
            def stop_reading(self):
                self.transport.pause_reading()
                report(event="stalled")
                if self.end == "reset": self.transport.abort()
                else: asyncio.get_running_loop().call_later(0.5, self.transport.resume_reading)
                self.at = "never"
                self.is_silent = True
            def say(self, stage, reply):
                if self.stalls and stage == self.at and not self.is_silent:
                    if self.end == "late":
                        asyncio.get_running_loop().call_later(0.6, self.transport.write, reply + b"\r\n")
                        return
                    self.is_silent = True
                    report(event="stalled")
                if not self.is_silent: self.transport.write(reply + b"\r\n")
            def take(self, line):
                if self.text:
                    if line == b".":
                        self.text = False
                        self.dots += 1
                        self.say("dot", b"250 taken")
                elif line.startswith(b"EHLO"):
                    self.transport.write(b"250-stalling\r\n250 PIPELINING\r\n")
                elif line.startswith(b"RCPT"):
                    self.stalls = line.startswith(b"RCPT TO:<stall")
                    self.say("rcpt", b"250 ok")
                elif line == b"DATA":
                    self.text = not (self.stalls and self.at in ("rcpt", "data"))
                    self.say("data", b"354 go")
                else:
                    self.say("", b"250 ok")

        # Offers STARTTLS, consents, and then closes ("end=close") or says what is no TLS; takes messages in clear.
        class BadTLS(asyncio.Protocol):
            def __init__(self, options):
                self.end, self.buffer, self.text, self.broken = options["end"], b"", False, False
            def connection_made(self, transport):
                self.transport = transport
                transport.write(b"220 badtls\r\n")
            def data_received(self, data):
                if self.broken:
                    self.transport.write(b"500 5.5.1 what is that?\r\n")
                    return
                self.buffer += data
                while b"\n" in self.buffer and not self.broken:
                    line, self.buffer = self.buffer.split(b"\n", 1)
                    self.take(line.rstrip(b"\r"))
            def take(self, line):
                if self.text:
                    if line == b".":
                        self.text = False
                        report(recipient=self.recipient)
                        self.transport.write(b"250 taken\r\n")
                elif line.startswith(b"EHLO"):
                    self.transport.write(b"250-badtls\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n")
                elif line == b"STARTTLS":
                    self.transport.write(b"220 go\r\n")
                    self.broken = True
                    if self.end == "close": self.transport.close()
                elif line.startswith(b"AUTH"):
                    report(recipient="(password)")
                    self.transport.write(b"235 ok\r\n")
                elif line.startswith(b"RCPT"):
                    self.recipient = line[9:-1].decode()
                    self.transport.write(b"250 ok\r\n")
                elif line == b"DATA":
                    self.text = True
                    self.transport.write(b"354 go\r\n")
                else:
                    self.transport.write(b"250 ok\r\n")

        # Takes STARTTLS, and answers in clear what the client might take for a reply within TLS.
        class Injector(asyncio.Protocol):
            def connection_made(self, transport):
                self.transport = transport
                transport.write(b"220 injector\r\n")
            def data_received(self, data):
                if data.startswith(b"EHLO"):
                    self.transport.write(b"250-injector\r\n250 STARTTLS\r\n")
                elif data.startswith(b"STARTTLS"):
                    self.transport.write(b"220 go\r\n250-evil\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n")
                elif data.startswith(b"MAIL"):
                    report(recipient="in clear")

        async def main():
            options = dict(argument.split("=", 1) for argument in sys.argv[2:])
            context = None
            if sys.argv[1] == "aiosmtpd":
                make, context = aiosmtpd_server(options)
            elif sys.argv[1] == "badtls":
                make = lambda: BadTLS(options)
            elif sys.argv[1] == "limited":
                make = lambda: Limited(options)
            elif sys.argv[1] == "stalling":
                make = lambda: Stalling(options)
                if "cert" in options:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(options["cert"], options["key"])
            else:
                make = Injector
            server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=context)
            print(server.sockets[0].getsockname()[1], flush=True)
            await server.serve_forever()

        asyncio.run(main())
        """#
}
