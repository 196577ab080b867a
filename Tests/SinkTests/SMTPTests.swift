import Foundation
import Model
import TestServers
import Testing
import Text

@testable import Sink

/// SMTP by clients that we did not write.
@Suite struct SMTPTests {
    @Test(arguments: [[], ["-d"]]) func countsMatchThoseOfSMTPSource(flags: [String]) async throws {
        try await TestSink.with { sink in
            let source = try await Program.run(
                "smtp-source",
                flags + [
                    "-m", "1000", "-s", "10", "-l", "3000", "-f", "a@example.com", "-t", "b@example.com",
                    "127.0.0.1:\(sink.smtp)",
                ], package: "postfix")
            #expect(source.status == 0, "\(source.errors)")
            let records = try sink.records()
            #expect(records.count == 1000)
            #expect(records.allSatisfy { $0.accepted && $0.code == 250 && $0.recipient == "b@example.com" })
            #expect(records.allSatisfy { $0.bytes > 3000 && $0.begun <= $0.decided && $0.channel == .email })
            #expect(Set(records.map(\.queueID)).count == 1000)
            let counts = sink.running.counts
            #expect(counts.accepted == 1000 && counts.refusals == 0 && counts.errors == 0)
            #expect(counts.opened == (flags.isEmpty ? 1000 : 10))
        }
    }

    @Test func threadsShareOneRecord() async throws {
        try await TestSink.with {
            $0.threads = 3
        } body: { sink in
            let source = try await Program.run(
                "smtp-source",
                [
                    "-d", "-m", "2000", "-s", "12", "-f", "a@example.com", "-t", "b@example.com",
                    "127.0.0.1:\(sink.smtp)",
                ],
                package: "postfix")
            #expect(source.status == 0)
            #expect(try sink.records().count == 2000)
        }
    }

    @Test func smtplibIsToldWhoIsRefused() async throws {
        try await TestSink.with { sink in
            let run = try await Program.python(
                """
                import smtplib, sys
                text = b'Message-ID: <0123456789abc.3.4@example.com>\\r\\nSubject: x\\r\\n\\r\\n.\\r\\n..\\r\\nend\\r\\n'
                def codes(refused): return ' '.join(f'{k}={v[0]}' for k, v in sorted(refused.items()))
                with smtplib.SMTP('127.0.0.1', int(sys.argv[1])) as s:
                    s.ehlo()
                    print(sorted(s.esmtp_features))
                    for _ in range(3):
                        print(codes(s.sendmail('a@example.com', ['ann@example.com', 'bounce@example.com', 'defer2@example.com'], text)))
                    try: s.sendmail('a@example.com', ['reject@example.com'], text)
                    except smtplib.SMTPDataError as e: print(e.smtp_code, e.smtp_error.decode())
                    s.sendmail('jürgen@example.com', ['例え@example.com'], text, mail_options=['SMTPUTF8', 'BODY=8BITMIME'])
                    for line in ['MAIL FROM:<ü@example.com>', 'MAIL FROM:<a@b> SIZE=99999999', 'MAIL FROM:<a@b> FOO=1', 'VRFY x', 'HELP']:
                        s.rset(); s.command_encoding = 'utf-8'; print(s.docmd(line)[0])
                """, [sink.smtp])
            #expect(run.status == 0, "\(run.errors)")
            #expect(
                run.output == """
                    ['8bitmime', 'enhancedstatuscodes', 'pipelining', 'size', 'smtputf8']
                    bounce@example.com=550 defer2@example.com=450
                    bounce@example.com=550 defer2@example.com=450
                    bounce@example.com=550
                    554 5.7.1 message refused
                    553
                    552
                    555
                    252
                    500

                    """)
            let records = try sink.records()
            #expect(records.count { $0.recipient == "ann@example.com" && $0.accepted } == 3)
            #expect(records.filter { $0.recipient == "defer2@example.com" }.map(\.code) == [450, 450, 250])
            #expect(records.filter { $0.recipient == "例え@example.com" }.map(\.mailing) == ["0123456789abc"])
            #expect(records.filter { $0.recipient == "reject@example.com" }.map(\.stage) == [.response])
            #expect(sink.running.counts.refused == [550: 3, 450: 2, 554: 1])
        }
    }

    @Test func starttlsAndAuthAreAskedFor() async throws {
        let folder = try TemporaryFolder()
        let pair = try await Certificate.make(in: folder)
        try await TestSink.with { configuration in
            configuration.certificate = pair
            configuration.listeners.append(.init(scheme: .smtps))
            configuration.listeners.append(.init(scheme: .https))
            configuration.credentials = .init(username: "ann", password: Secret("pa:ss"))
        } body: { sink in
            let run = try await Program.python(
                """
                import smtplib, ssl, sys, urllib.request, base64
                plain, secure, web = map(int, sys.argv[1:4])
                context = ssl.create_default_context(cafile=sys.argv[4])
                def send(s):
                    print(s.sendmail('a@example.com', ['b@example.com'], 'Subject: x\\r\\n\\r\\nhello\\r\\n'))
                with smtplib.SMTP('localhost', plain) as s:
                    try: send(s)
                    except smtplib.SMTPSenderRefused as e: print(e.smtp_code)
                    s.rset()
                    s.starttls(context=context)
                    s.ehlo()
                    print('starttls' in s.esmtp_features, s.esmtp_features['auth'].strip())
                    try: s.login('ann', 'wrong')
                    except smtplib.SMTPAuthenticationError as e: print(e.smtp_code)
                    s.login('ann', 'pa:ss')
                    send(s)
                with smtplib.SMTP_SSL('localhost', secure, context=context) as s:
                    s.user, s.password = 'ann', 'pa:ss'
                    s.ehlo()
                    s.auth('LOGIN', s.auth_login)
                    send(s)
                for value in ['Basic ' + base64.b64encode(b'ann:pa:ss').decode(), 'Bearer pa:ss', 'Bearer no']:
                    r = urllib.request.Request(f'https://localhost:{web}/', b'{"to":"x"}', {'Authorization': value})
                    try: print(urllib.request.urlopen(r, context=context).status)
                    except urllib.error.HTTPError as e: print(e.code)
                """,
                [sink.smtp, "\(sink.running.port(.smtps) ?? 0)", "\(sink.running.port(.https) ?? 0)", pair.chain])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output == "530\nFalse PLAIN LOGIN\n535\n{}\n{}\n200\n200\n401\n")
            #expect(sink.running.counts.accepted == 4)
            #expect(sink.running.counts.refused == [530: 1, 401: 1])
        }
    }

    @Test func whatIsNotOfferedIsNotTaken() async throws {
        try await TestSink.with {
            $0.without = Set(SinkConfiguration.Extension.allCases)
        } body: { sink in
            let run = try await Program.python(
                """
                import socket, sys
                s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
                f = s.makefile('rb')
                def ask(text):
                    s.sendall(text)
                    while True:
                        line = f.readline()
                        if line[3:4] != b'-': return line.decode().strip()
                f.readline()
                print(ask(b'EHLO x\\r\\n'))
                print(ask(b'MAIL FROM:<a@b> BODY=8BITMIME\\r\\n'))
                print(ask(b'MAIL FROM:<a@b> SIZE=1\\r\\n'))
                print(ask(b'MAIL FROM:<a@b>\\r\\n'))
                print(ask(b'RCPT TO:<c@d>\\r\\n'))
                print(ask(b'DATA\\r\\n')[:3])
                print(ask('Subject: ü\\r\\n\\r\\nx\\r\\n.\\r\\n'.encode()))
                s.sendall(b'MAIL FROM:<a@b>\\r\\nRCPT TO:<c@d>\\r\\n')
                print(f.read().decode())
                """, [sink.smtp])
            #expect(run.status == 0, "\(run.errors)")
            #expect(
                run.output.split(whereSeparator: \.isNewline).map { String($0.prefix(9)) } == [
                    "250 ENHAN", "555 5.5.4", "555 5.5.4", "250 2.1.0", "250 2.1.5", "354", "554 5.6.3", "250 2.1.0",
                    "503 5.5.0",
                ])
        }
    }
}

/// A certificate of one's own for localhost.
enum Certificate {
    static func make(in folder: TemporaryFolder) async throws -> SinkConfiguration.Certificate {
        let pair = SinkConfiguration.Certificate(chain: "\(folder.path)/cert.pem", key: "\(folder.path)/key.pem")
        let run = try await Program.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", pair.key, "-out",
                pair.chain,
            ], package: "openssl")
        try #require(run.status == 0, "\(run.errors)")
        return pair
    }
}
