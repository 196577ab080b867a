import Foundation
import Model
import Signing
import TestServers
import Testing
import Text

/// Signatures, as dkimpy verifies them (Debian's python3-dkim and python3-nacl).
@Suite struct DKIMTests {
    /// Verifies each file of a folder by all its signatures. What stands behind DATA has its dots doubled.
    private static let judge = """
        import dkim, os, sys
        records = dict(line.split(' ', 1) for line in open(sys.argv[2]).read().splitlines())
        find = lambda name, timeout=5: records.get(name.decode().rstrip('.'), '').encode()
        for name in sorted(os.listdir(sys.argv[1])):
            text = open(os.path.join(sys.argv[1], name), 'rb').read()
            text = text.replace(b'\\r\\n..', b'\\r\\n.')
            one = dkim.DKIM(text)
            count = sum(line.lower().startswith(b'dkim-signature:') for line in text.split(b'\\r\\n'))
            try:
                print(name, count, all(one.verify(idx=i, dnsfunc=find) for i in range(count)))
            except Exception as error:
                print(name, count, repr(error))
        """

    private let keys: [DKIMKey]

    init() throws {
        keys = try DKIMKey.Algorithm.allCases.map {
            try DKIMKey(domain: "Example.com", selector: "s_\($0.keyType)", pem: try DKIMKey.generate($0))
        }
    }

    /// What the judge says of each message.
    private func verdicts(_ messages: [[UInt8]]) throws -> [String] {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("mail"), withIntermediateDirectories: true)
        for (index, message) in messages.enumerated() {
            try Data(message).write(to: URL(filePath: folder.path("mail/" + String(1000 + index))))
        }
        let records = keys.map { "\($0.selector)._domainkey.\($0.domain) \($0.record)\n" }.joined()
        try Data(records.utf8).write(to: URL(filePath: folder.path("records")))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", Self.judge, folder.path("mail"), folder.path("records")]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "python3-dkim and python3-nacl are needed: deploy/install test")
        return text.split(separator: "\n").map { String($0.split(separator: " ", maxSplits: 1)[1]) }
    }

    private func signed(_ message: String, _ keys: [DKIMKey]) -> [UInt8] {
        var bytes = Array("before".utf8) + Array(message.utf8)
        DKIMSigner(keys).sign(&bytes, from: 6, time: 1_764_000_000)
        return Array(bytes.dropFirst(6))
    }

    @Test func anotherImplementationVerifiesBothSignatures() throws {
        var generator = SeededGenerator(seed: 6376)
        let pieces = [
            " ", "  ", "\t", "\r\n", "\r\n\r\n", "\r\n..", "\r\n \r\n", "a", "word", "é", "日本", "=20", "<p>",
            String(repeating: "x", count: 300), ":",
            "\r\n\t",
        ]
        var messages: [[UInt8]] = []
        for _ in 0..<200 {
            func text(_ count: Int) -> String { (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined() }
            func field(_ name: String) -> String {
                let value = text(.random(in: 1...6, using: &generator)).replacing("\r\n", with: "\r\n ")
                return "\(name): x\(value)y\r\n"
            }
            let head = ["From", "To", "subject", "DATE", "Message-ID", "MIME-Version", "X-Other", "List-Id"].shuffled(using: &generator)
            let extra = Bool.random(using: &generator) ? field("List-Unsubscribe") : ""
            let body = text(.random(in: 0...30, using: &generator))
            let stuffed = body.hasPrefix(".") ? "." + body : body
            let message = head.map(field).joined() + extra + "\r\n" + stuffed + (Bool.random(using: &generator) ? "\r\n" : "end\r\n")
            messages.append(signed(message, keys))
        }
        #expect(Set(try verdicts(messages)) == ["2 True"])
    }

    @Test func whatIsChangedOrAddedBreaksThem() throws {
        let message = "From: a@example.com\r\nTo: b@example.org\r\nSubject: One\r\nDate: now\r\n\r\nHello  world \r\n\r\n"
        let good = String(decoding: signed(message, keys), as: UTF8.self)
        let changes: [(String) -> String] = [
            { $0.replacing("world", with: "World") }, { $0.replacing("Subject: One", with: "Subject: Two") },
            { $0.replacing("To: b", with: "From: c@example.com\r\nTo: b") },
            { $0.replacing("To: b", with: "Reply-To: c@x.example\r\nTo: b") },
            { $0.replacing("Date: now", with: "List-Unsubscribe: <https://x.example>\r\nDate: now") }, { $0 + "more\r\n" },
        ]
        let harmless = [good, good.replacing("Hello  world ", with: "Hello world"), good.replacing("Subject: One", with: "SUBJECT:  One")]
        #expect(try verdicts(harmless.map { Array($0.utf8) }) == Array(repeating: "2 True", count: 3))
        // Of two senders dkimpy says nothing but an error.
        let found = try verdicts(changes.map { Array($0(good).utf8) })
        #expect(found.count == changes.count && !found.contains("2 True"), "\(found)")
    }

    @Test func linesStayShort() throws {
        let text = String(decoding: signed("From: a@example.com\r\n\r\n", keys), as: UTF8.self)
        #expect(text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 78 || $0.hasPrefix("DKIM-Signature: v=1") })
        #expect(
            text.hasPrefix(
                "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com;\r\n s=s_rsa; t=1764000000;\r\n h=from:from:"))
    }

    @Test func aDomainWithoutKeysIsSignedByThatAboveIt() throws {
        let all = DKIMKeys(keys)
        #expect(all.signer(for: "example.com") != nil)
        #expect(all.signer(for: "News.Example.com") != nil)
        for other in ["com", "example.org", "anexample.com", ""] { #expect(all.signer(for: other) == nil) }
    }

    @Test func theLastSelectorOfAnAlgorithmSigns() throws {
        let newer = try DKIMKey(domain: "example.com", selector: "t1", pem: try DKIMKey.generate(.ed25519))
        var message = Array("From: a@example.com\r\n\r\nHello\r\n".utf8)
        try #require(DKIMKeys(keys + [newer]).signer(for: "example.com")).sign(&message, from: 0, time: 1)
        let text = String(decoding: message, as: UTF8.self)
        #expect(text.contains(" s=t1;") && text.contains(" s=s_rsa;") && !text.contains(" s=s_ed25519;"))
    }

    @Test func refusesWhatCannotSign() throws {
        func fault(_ pem: String, domain: String = "example.com", selector: String = "s") -> DKIMKeyError? {
            #expect(throws: DKIMKeyError.self) { try DKIMKey(domain: domain, selector: selector, pem: Secret(pem)) }
            do throws(DKIMKeyError) { _ = try DKIMKey(domain: domain, selector: selector, pem: Secret(pem)) } catch { return error }
            return nil
        }
        let good = try DKIMKey.generate(.ed25519).exposed
        #expect(fault("") == .unreadable)
        #expect(fault("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n") == .unreadable)
        #expect(fault(String(good.prefix(60))) == .unreadable)
        #expect(fault("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n") == .encrypted)
        #expect(fault(good, domain: "bücher.example") == .domain("bücher.example"))
        #expect(fault(good, selector: "a b") == .selector("a b"))
        #expect(fault(try openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512")) == .short(512))
        // With four primes it is made in a second.
        let long = try openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4104", "-pkeyopt", "rsa_keygen_primes:4")
        #expect(fault(long) == .long(4104))
        #expect(fault(try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")) == .otherKind)
    }

    private func openssl(_ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
