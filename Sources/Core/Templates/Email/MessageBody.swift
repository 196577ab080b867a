import Model

/// The body of a mailing's messages: its texts, and the files beside them.
struct MessageBody: Sendable {
    /// The texts, plainest first (RFC 2046 section 5.1.4).
    let parts: [BodyPart]
    private let boundary: [UInt8]
    /// Nil for a mailing without files.
    private let frame: MessageFrame?

    /// - Parameter generator: makes the boundary at random, so that no value can contain it.
    init(_ parts: [BodyPart], _ files: MailFiles?, using generator: inout some RandomNumberGenerator) {
        self.parts = parts
        boundary = Self.boundary(for: parts, using: &generator)
        frame = files.map { [boundary] files in
            let isAlternative = parts.count > 1 || files.calendar != nil
            return MessageFrame(files, boundary: boundary, root: isAlternative ? "multipart/alternative" : "text/html")
        }
    }

    /// Appends the headers that say what the body is, an empty line, and the body.
    func write(_ row: RowValues, width: Int, _ message: TrackedMessage?, eightBit: Bool, into out: inout [UInt8]) {
        let first = parts[0].encoding(row, width: width, message, eightBit: eightBit, scratch: &out)
        guard parts.count > 1 || frame != nil else { return parts[0].write(row, width: width, message, as: first, into: &out) }
        let second = parts.count > 1 ? parts[1].encoding(row, width: width, message, eightBit: eightBit, scratch: &out) : nil
        let isEightBit = first == .eightBit || second == .eightBit
        frame?.open(eightBit: isEightBit, into: &out)
        if second == nil, frame?.calendar.isEmpty != false {
            parts[0].write(row, width: width, message, as: first, into: &out)
        } else {
            out.append(contentsOf: "Content-Type: multipart/alternative; boundary=\"".utf8)
            out.append(contentsOf: boundary)
            out.append(contentsOf: "\"\r\n".utf8)
            if isEightBit { out.append(contentsOf: "Content-Transfer-Encoding: 8bit\r\n".utf8) }
            out.append(contentsOf: "\r\n".utf8)
            delimit(&out)
            parts[0].write(row, width: width, message, as: first, into: &out)
            if let second {
                delimit(&out)
                parts[1].write(row, width: width, message, as: second, into: &out)
            }
            if let calendar = frame?.calendar, !calendar.isEmpty {
                delimit(&out)
                out.append(contentsOf: calendar)
            }
            out.append(contentsOf: "--".utf8)
            out.append(contentsOf: boundary)
            out.append(contentsOf: "--\r\n".utf8)
        }
        frame?.close(into: &out)
    }

    private func delimit(_ out: inout [UInt8]) {
        out.append(contentsOf: "--".utf8)
        out.append(contentsOf: boundary)
        out.append(contentsOf: "\r\n".utf8)
    }

    private static func boundary(for parts: [BodyPart], using generator: inout some RandomNumberGenerator) -> [UInt8] {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
        while true {
            var boundary = Array("=_".utf8)
            for _ in 0..<26 { boundary.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]) }
            if !parts.contains(where: { $0.contains(boundary) }) { return boundary }
        }
    }
}
