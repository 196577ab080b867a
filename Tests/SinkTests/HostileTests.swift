import Foundation
import TestServers
import Testing

@testable import Sink

/// Input that means harm, or nothing.
@Suite struct HostileTests {
    @Test func noInputHarmsTheNextClient() async throws {
        try await TestSink.with { sink in
            let run = try await Program.python(
                """
                import os, random, socket, sys
                random.seed(1)
                def talk(port, data, half=True):
                    s = socket.create_connection(('127.0.0.1', int(port))); s.settimeout(60)
                    try:
                        s.sendall(data)
                        if half: s.shutdown(socket.SHUT_WR)
                        out = b''
                        while True:
                            piece = s.recv(65536)
                            if not piece: return out
                            out += piece
                    except (ConnectionResetError, BrokenPipeError): return b''
                smtp, http = sys.argv[1:3]
                for port in (smtp, http):
                    talk(port, b'x' * 10_000_000)
                    talk(port, b'\\r\\n' * 100_000)
                    talk(port, b'')
                    for _ in range(20): talk(port, random.randbytes(random.randrange(5000)))
                begin = b'EHLO x\\r\\nMAIL FROM:<a@b>\\r\\nRCPT TO:<c@d>\\r\\nDATA\\r\\n'
                assert b'queued' in talk(smtp, begin + b'Message-ID: <' + b'9' * 9_000_000 + b'>\\r\\n.\\r\\nQUIT\\r\\n')
                assert b'552 5.3.4' in talk(smtp, begin + b'y' * 11_000_000 + b'\\r\\n.\\r\\nQUIT\\r\\n')
                noise = random.randbytes(100_000).replace(b'\\r\\n.\\r\\n', b'')
                header = b'Message-ID: <a\\tb\\x00"c\\xff.1.2@x>\\r\\n\\r\\n'
                assert b'queued' in talk(smtp, begin + header + noise + b'\\r\\n.\\r\\nQUIT\\r\\n')
                evil = b'MAIL FROM:<evil@x>\\r\\nRCPT TO:<evil@x>\\r\\nDATA\\r\\n.\\r\\nQUIT\\r\\n'
                # One end that is none, by CR or LF alone, smuggles no second message in.
                for end in (b'\\n.\\n', b'\\n.\\r\\n', b'\\r\\n.\\n', b'\\r.\\r', b'\\r\\n.\\r', b'\\r\\n.\\r\\r\\n'):
                    out = talk(smtp, begin + b'\\r\\nx' + end + evil)
                    assert out.count(b'queued') == 1, (end, out)
                assert b'501' in talk(smtp, b'EHLO x\\r\\nMAIL FROM:<a@b\\rRCPT TO:<c@d>\\r\\nQUIT\\r\\n')
                assert b'500 5.5.2' in talk(smtp, b'EHLO x\\nQUIT\\r\\n')
                assert b'too many errors' in talk(smtp, b'FOO\\r\\n' * 100)
                head = b'POST / HTTP/1.1\\r\\nHost: x\\r\\nIdempotency-Key: a\\tb\\xff"\\r\\nContent-Length: 20\\r\\n\\r\\n'
                out = talk(http, head + b'{"to":"a\\\\n1\\\\t2\\\\u00002"}')
                assert b'200 OK' in out, out
                """, [sink.smtp, sink.http])
            #expect(run.status == 0, "\(run.errors)")
            _ = try await eventually { sink.running.counts.connections == 0 ? true : nil }
            let records = try sink.records()
            #expect(!records.contains { $0.recipient.contains("evil") && $0.accepted })
            #expect(records.count == sink.running.counts.accepted + sink.running.counts.refusals)
            let last = try await Program.python(
                """
                import smtplib, sys
                with smtplib.SMTP('127.0.0.1', int(sys.argv[1])) as s: print(s.sendmail('a@b.c', ['d@e.f'], 'x'))
                """, [sink.smtp])
            #expect(last.output == "{}\n")
        }
    }

    @Test func aClientThatNeverReadsIsNotBuffered() async throws {
        try await TestSink.with { sink in
            let run = try await Program.python(
                """
                import socket, sys
                s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); s.setblocking(False)
                sent = 0; block = b'EHLO x\\r\\n' * 8192
                import select
                while sent < 200_000_000:
                    if not select.select([], [s], [], 0.3)[1]: break
                    sent += s.send(block)
                print(sent < 200_000_000)
                """, [sink.smtp])
            #expect(run.output == "True\n", "\(run.errors)")
        }
    }

    @Test func recipientsHaveALimit() throws {
        let shared = try shared()
        let driver = try SessionDriver<SMTPSession>(shared)
        try driver.feed("EHLO x\r\nMAIL FROM:<a@b>\r\n".utf8)
        for number in 0...SMTPSession.mostRecipients { try driver.feed("RCPT TO:<u\(number)@x>\r\n".utf8) }
        #expect(driver.text.hasSuffix("452 4.5.3 too many recipients\r\n"))
        try driver.feed("DATA\r\n.\r\n".utf8)
        #expect(shared.counter.snapshot.accepted == SMTPSession.mostRecipients)
    }

    @Test func aFullDiskRefusesMessages() async throws {
        try #require(FileManager.default.fileExists(atPath: "/dev/full"))
        let shared = try shared(record: "/dev/full")
        let driver = try SessionDriver<SMTPSession>(shared)
        let message = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\n"
        try driver.feed(("EHLO x\r\n" + message).utf8)
        #expect(shared.records?.flush() == false)
        try driver.feed(message.utf8)
        #expect(driver.text.hasSuffix("452 4.3.1 the record cannot be written\r\n"))
        #expect(shared.counter.snapshot.unrecorded == 1)
        let web = try SessionDriver<HTTPSession>(shared)
        try web.feed("POST / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        #expect(web.text.hasPrefix("HTTP/1.1 507 "))
    }
}
