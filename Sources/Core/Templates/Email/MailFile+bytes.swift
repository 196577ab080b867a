import FoundationEssentials
package import Model
import Signing
import Text

extension MailFile {
    /// A file of these bytes.
    /// - Parameter type: the value of Content-Type.
    package init(_ bytes: [UInt8], name: String, type: String) {
        self.init(
            name: name, type: type, content: Data(bytes).base64EncodedString(), size: bytes.count, digest: Digest.hexadecimal(of: bytes))
    }

    /// Its content is what it was when the mailing was added. A definition comes from Redis and from the ledger, where others may write.
    var isWhole: Bool {
        guard MailFile.fault(ofName: name) == nil, Self.isType(type), let bytes = Data(base64Encoded: content) else { return false }
        return bytes.count == size && Digest.hexadecimal(of: [UInt8](bytes)) == digest
    }

    private static func isType(_ type: String) -> Bool {
        type.utf8.count <= 200 && type.contains("/") && type.utf8.allSatisfy { (0x20...0x7e).contains($0) }
    }

    /// Its base64 in lines of 76 characters (RFC 2045 section 6.8), the last with its end.
    func appendLines(to out: inout [UInt8]) {
        var rest = Array(content.utf8)[...]
        while !rest.isEmpty {
            out += rest.prefix(76)
            out += [0x0d, 0x0a]
            rest = rest.dropFirst(76)
        }
    }

    /// Appends the file as a part of a message: its headers, an empty line and its lines.
    /// - Parameter disposition: `attachment` or `inline` (RFC 2183); nil for another form of the text.
    func appendPart(_ disposition: String?, to out: inout [UInt8]) {
        out += "Content-Type: \(type)\r\nContent-Transfer-Encoding: base64\r\n".utf8
        if disposition == "inline" { out += "Content-ID: <\(name)>\r\n".utf8 }
        if let disposition {
            out += "Content-Disposition: \(disposition)".utf8
            appendName(to: &out)
            out += "\r\n".utf8
        }
        out += "\r\n".utf8
        appendLines(to: &out)
    }

    /// The parameter `filename`: quoted where it is short and in ASCII, else as RFC 2231 sections 3 and 4 write it, on lines of their own.
    private func appendName(to out: inout [UInt8]) {
        if name.utf8.count <= 60, name.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) {
            let quoted = name.map { "\"\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
            out += ";\r\n filename=\"\(quoted)\"".utf8
            return
        }
        var pieces = [""]
        for character in name {
            let encoded = character.utf8.map { byte in
                byte.isLetterOrDigit || "-._".utf8.contains(byte) ? String(UnicodeScalar(byte)) : Self.escaped(byte)
            }.joined()
            if pieces[pieces.count - 1].utf8.count + encoded.utf8.count > 50, !pieces[pieces.count - 1].isEmpty { pieces.append("") }
            pieces[pieces.count - 1] += encoded
        }
        for (index, piece) in pieces.enumerated() {
            let number = pieces.count > 1 ? "*\(index)" : ""
            out += ";\r\n filename\(number)*=\(index == 0 ? "utf-8''" : "")\(piece)".utf8
        }
    }

    private static func escaped(_ byte: UInt8) -> String {
        String(decoding: [UInt8(ascii: "%"), .hexadecimalDigit(byte >> 4), .hexadecimalDigit(byte & 15)], as: UTF8.self)
    }
}
