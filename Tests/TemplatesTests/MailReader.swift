import Foundation
import Model
import Testing

/// A message as Python's `email` package reads it.
struct ReadMail: Decodable, Sendable {
    struct Part: Decodable, Sendable {
        var type: String
        var charset: String
        var encoding: String
        var content: String
    }

    /// Names and decoded values, in their order.
    var headers: [[String]]
    var parts: [Part]
    /// What the parser found wrong, over all parts and headers.
    var defects: [String]

    subscript(name: String) -> String? { headers.first { $0[0] == name }?[1] }
}

/// Reads messages by Python's `email` package, which shares no code with us; one process for all of them.
enum MailReader {
    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let script = """
        import email, email.header, email.policy, json, sys
        data = sys.stdin.buffer.read()
        policy = email.policy.SMTP.clone(utf8=True)
        out = []
        position = 0
        while position < len(data):
            size = int(data[position:position + 10])
            raw = data[position + 10:position + 10 + size]
            position += 10 + size
            message = email.message_from_bytes(raw, policy=policy)
            headers = [[name, str(value)] for name, value in message.items()]
            # The address parser leaves a space between encoded words, which RFC 2047 section 6.2 forbids.
            for header, (name, raw) in zip(headers, message.raw_items()):
                if name in ('From', 'Reply-To'):
                    unfolded = str(raw).replace('\\r', '').replace('\\n', '')
                    header[1] = str(email.header.make_header(email.header.decode_header(unfolded)))
            defects = [repr(d) for name, value in message.items() for d in value.defects]
            parts = []
            for part in message.walk():
                defects += [repr(d) for d in part.defects]
                if part.is_multipart():
                    continue
                text = part.get_payload(decode=True).decode(part.get_content_charset('ascii'))
                parts.append({'type': part.get_content_type(), 'charset': part.get_content_charset('ascii'),
                              'encoding': part['Content-Transfer-Encoding'], 'content': text})
            out.append({'headers': headers, 'parts': parts, 'defects': defects})
        json.dump(out, sys.stdout)
        """

    /// - Parameter messages: as they go onto the wire after DATA, without the final dot.
    static func read(_ messages: [[UInt8]]) throws -> [ReadMail] {
        var input = Data()
        for message in messages {
            let bytes = unstuffed(message)
            let size = "\(bytes.count)"
            input.append(Data((String(repeating: "0", count: 10 - size.count) + size).utf8))
            input.append(contentsOf: bytes)
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "flotilla-mail-\(UUID().uuidString)")
        try input.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script]
        process.standardInput = try FileHandle(forReadingFrom: file)
        process.standardOutput = output
        try process.run()
        let response = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "python3 could not read the messages; is it there? apt-get install python3")
        }
        return try JSONDecoder().decode([ReadMail].self, from: response)
    }

    /// What a server makes of what it gets: a dot at a line's start is dropped (RFC 5321 section 4.5.2).
    private static func unstuffed(_ message: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for (index, byte) in message.enumerated() {
            if byte == UInt8(ascii: "."), index == 0 || message[index - 1] == UInt8(ascii: "\n") { continue }
            result.append(byte)
        }
        return result
    }
}

/// What RFC 5321 asks of every message as it is transmitted: CRLF lines of at most 998 bytes, no NUL, no bare CR or LF, and no
/// line of one dot.
func wireProblems(_ message: [UInt8], eightBit: Bool = true, utf8Headers: Bool = false) -> [String] {
    var problems: [String] = []
    var lineStart = 0
    for (index, byte) in message.enumerated() {
        switch byte {
        case 0x0a:
            if index == 0 || message[index - 1] != 0x0d { problems.append("bare LF at \(index)") }
            let line = message[lineStart..<index].dropLast()
            if line.count > 999 { problems.append("line of \(line.count) bytes") }
            if line.elementsEqual(".".utf8) { problems.append("line of one dot at \(index)") }
            if line.first == UInt8(ascii: "."), line.dropFirst().first != UInt8(ascii: ".") {
                problems.append("dot not stuffed at \(lineStart)")
            }
            lineStart = index + 1
        case 0x0d where index + 1 == message.count || message[index + 1] != 0x0a: problems.append("bare CR at \(index)")
        case 0: problems.append("NUL at \(index)")
        case 0x80... where !eightBit: problems.append("8 bit at \(index)")
        default: break
        }
    }
    if !message.suffix(2).elementsEqual([0x0d, 0x0a]) { problems.append("no CRLF at the end") }
    let head = message.firstRange(of: Array("\r\n\r\n".utf8)).map { message[..<$0.lowerBound] } ?? message[...]
    if !utf8Headers, head.contains(where: { $0 >= 0x80 }) { problems.append("8 bit in the headers") }
    return problems
}
