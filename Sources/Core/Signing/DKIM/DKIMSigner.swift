import Foundation

/// What signs messages: today DKIM (RFC 6376), later perhaps its successor.
package protocol MessageSigner: Sendable {
    /// Signs a message that stands at the end of `out`, as SMTP sends it behind DATA without the final dot, and puts its signatures before
    /// it.
    /// - Parameters:
    ///   - start: where the message begins.
    ///   - time: seconds since 1970.
    func sign(_ out: inout [UInt8], from start: Int, time: Int64)
}

/// Signs by the keys of one domain: one signature for each.
package struct DKIMSigner: MessageSigner {
    private let keys: [DKIMKey]

    /// The fields that are signed, each once more than it is there, so that nobody can add another (RFC 6376 section 8.15).
    private static let signed = [
        "from", "reply-to", "subject", "to", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding", "list-id",
        "feedback-id", "list-unsubscribe", "list-unsubscribe-post",
    ].map { Array($0.utf8) }

    /// - Parameter keys: of one domain, not empty.
    package init(_ keys: [DKIMKey]) { self.keys = keys }

    package func sign(_ out: inout [UInt8], from start: Int, time: Int64) {
        let signatures = out.withUnsafeBufferPointer { bytes in
            Self.signatures(of: bytes[start...], keys: keys, time: time)
        }
        out.insert(contentsOf: signatures, at: start)
    }

    private static func signatures(of message: Slice<UnsafeBufferPointer<UInt8>>, keys: [DKIMKey], time: Int64) -> [UInt8] {
        let (fields, body) = parts(of: message)
        var canonical: [UInt8] = []
        DKIMCanonical.append(body: message.base[body], to: &canonical)
        let bodyHash = Data(Digest.sha256(canonical)).base64EncodedString()
        canonical.removeAll(keepingCapacity: true)
        var names: [String] = []
        for name in signed {
            let found = fields.filter { message.base[$0.name].elementsEqual(name) { isSameLetter($0, $1) } }
            let text = String(decoding: name, as: UTF8.self)
            names += Array(repeating: text, count: found.count + 1)
            // Those of one name are taken from the last (RFC 6376 section 5.4.2).
            for field in found.reversed() {
                DKIMCanonical.append(field: message.base[field.whole], to: &canonical)
                canonical += [0x0d, 0x0a]
            }
        }
        var written: [UInt8] = []
        for key in keys {
            let begin = written.count
            appendField(of: key, names: names, bodyHash: bodyHash, time: time, to: &written)
            var input = canonical
            written.withUnsafeBufferPointer { DKIMCanonical.append(field: $0[begin...], to: &input) }
            appendFolded(Data(key.sign(input)).base64EncodedString(), to: &written)
            written += [0x0d, 0x0a]
        }
        return written
    }

    /// The field up to `b=`, which is empty in what is signed (RFC 6376 section 3.7).
    private static func appendField(of key: DKIMKey, names: [String], bodyHash: String, time: Int64, to out: inout [UInt8]) {
        out +=
            "DKIM-Signature: v=1; a=\(key.algorithm.rawValue); c=relaxed/relaxed; d=\(key.domain);\r\n s=\(key.selector); t=\(time);\r\n h="
            .utf8
        var column = 3
        for (index, name) in names.enumerated() {
            if index > 0 {
                out.append(UInt8(ascii: ":"))
                column += 1
            }
            if column + name.utf8.count > 75 {
                out += "\r\n  ".utf8
                column = 2
            }
            out += name.utf8
            column += name.utf8.count
        }
        out += ";\r\n bh=\(bodyHash);\r\n b=".utf8
    }

    private static func appendFolded(_ base64: String, to out: inout [UInt8]) {
        for (index, byte) in base64.utf8.enumerated() {
            if index > 0, index % 72 == 0 { out += "\r\n ".utf8 }
            out.append(byte)
        }
    }

    private struct Field {
        var name: Range<Int>
        /// Without its line end.
        var whole: Range<Int>
    }

    /// The header fields and the body of a message.
    private static func parts(of message: Slice<UnsafeBufferPointer<UInt8>>) -> (fields: [Field], body: Range<Int>) {
        let bytes = message.base
        var fields: [Field] = []
        var index = message.startIndex
        while index < message.endIndex {
            var end = index
            while end < message.endIndex, bytes[end] != 0x0a { end += 1 }
            let next = min(end + 1, message.endIndex)
            if end > index, bytes[end - 1] == 0x0d { end -= 1 }
            if index == end { return (fields, next..<message.endIndex) }
            if let last = fields.indices.last, bytes[index] == 0x20 || bytes[index] == 0x09 {
                fields[last].whole = fields[last].whole.lowerBound..<end
            } else {
                let colon = bytes[index..<end].firstIndex(of: UInt8(ascii: ":")) ?? end
                fields.append(Field(name: index..<colon, whole: index..<end))
            }
            index = next
        }
        return (fields, message.endIndex..<message.endIndex)
    }

    private static func isSameLetter(_ left: UInt8, _ lower: UInt8) -> Bool {
        left == lower || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= left && left | 0x20 == lower
    }
}
