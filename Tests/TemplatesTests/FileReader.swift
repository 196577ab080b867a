import Foundation
import Signing

/// A message with files as Python's `email` package (strict) and dkimpy read it.
struct ReadFiles: Decodable, Sendable {
    struct Part: Decodable, Sendable {
        /// The types of the parts around it and its own, from the outermost.
        var path: [String]
        var name: String?
        var id: String?
        var disposition: String?
        var method: String?
        var content: Data
        var longest: Int
    }

    var parts: [Part]
    /// How many signatures there are, all of which are good.
    var signatures: Int
}

enum FileReader {
    private struct Failure: Error {}

    private static let script = """
        import base64, dkim, email, email.policy, json, sys
        raw = open(sys.argv[1], 'rb').read().replace(b'\\r\\n..', b'\\r\\n.')
        records = dict(line.split(' ', 1) for line in open(sys.argv[2]).read().splitlines())
        find = lambda name, timeout=5: records.get(name.decode().rstrip('.'), '').encode()
        message = email.message_from_bytes(raw, policy=email.policy.strict.clone(linesep='\\r\\n'))
        default = email.message_from_bytes(raw, policy=email.policy.default)
        assert not [d for part in default.walk() for d in part.defects + [d for v in part.values() for d in v.defects]]
        parts = []
        def visit(part, path):
            path = path + [part.get_content_type()]
            if part.is_multipart():
                kind = part.get_param('type')
                assert not kind or kind == part.get_payload(0).get_content_type(), kind
                return [visit(one, path) for one in part.get_payload()]
            parts.append({'path': path, 'name': part.get_filename(), 'id': part['Content-ID'], 'method': part.get_param('method'),
                          'disposition': part.get_content_disposition(),
                          'content': base64.b64encode(part.get_payload(decode=True)).decode(),
                          'longest': max(map(len, part.get_payload().splitlines()))})
        visit(message, [])
        one = dkim.DKIM(raw)
        count = raw.split(b'\\r\\n\\r\\n')[0].lower().count(b'dkim-signature:')
        assert all(one.verify(idx=i, dnsfunc=find) for i in range(count))
        json.dump({'parts': parts, 'signatures': count}, sys.stdout)
        """

    /// - Parameter keys: those that signed it.
    static func read(_ message: [UInt8], _ keys: [DKIMKey] = []) throws -> ReadFiles {
        let folder = FileManager.default.temporaryDirectory.appending(path: "flotilla-files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (mail, records) = (folder.appending(path: "mail"), folder.appending(path: "records"))
        try Data(message).write(to: mail)
        try Data(keys.map { "\($0.selector)._domainkey.\($0.domain) \($0.record)\n" }.joined().utf8).write(to: records)
        let (process, output) = (Process(), Pipe())
        // Debian's python3-dkim and python3-nacl.
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", script, mail.path, records.path]
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure() }
        return try JSONDecoder().decode(ReadFiles.self, from: text)
    }
}
