/// The files that each message of an e-mail mailing has, as they were when it was added.
package struct MailFiles: Codable, Sendable, Equatable {
    package var attachments: [MailFile] = []
    /// Pictures that the HTML shows by `cid:` and their names.
    package var inline: [MailFile] = []
    /// An invitation (RFC 5545), another form of the text.
    package var calendar: MailFile?

    package init() {}

    package var all: [MailFile] { attachments + inline + (calendar.map { [$0] } ?? []) }

    package var isEmpty: Bool { all.isEmpty }

    /// Bytes of all files at most: they travel in the definition of their mailing.
    package static let mostBytes = 1 << 20
    /// Files at most.
    package static let most = 50

    /// Bytes that they take in a message, about.
    package var messageBytes: Int { all.reduce(0) { $0 + $1.content.utf8.count / 76 * 78 + 512 } }
}

/// A file that goes out with messages.
package struct MailFile: Codable, Sendable, Equatable {
    /// What readers see; of one that is shown in the HTML, its Content-ID.
    package var name: String
    /// The value of Content-Type.
    package var type: String
    /// Base64 (RFC 4648 section 4) without line breaks.
    package var content: String
    /// Bytes.
    package var size: Int
    /// SHA-256 of the file, in hexadecimal digits.
    package var digest: String

    package init(name: String, type: String, content: String, size: Int, digest: String) {
        (self.name, self.type, self.content, self.size, self.digest) = (name, type, content, size, digest)
    }

    /// What is wrong with the name of a file; nil where nothing is.
    package static func fault(ofName name: String) -> String? {
        if name.isEmpty || name == "." || name == ".." { return "is no name of a file" }
        if name.utf8.count > 200 { return "is longer than 200 bytes" }
        if name.contains("/") || name.contains("\\") {
            return "has a folder in it; a name alone is meant, of a file beside the mailing file"
        }
        let isHidden = name.unicodeScalars.contains { scalar in
            // Marks that turn the order of letters round show another ending than a file has.
            [.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
                || ["\u{202a}"..."\u{202e}", "\u{2066}"..."\u{2069}"].contains { $0.contains(scalar) }
        }
        return isHidden ? "has a line break or another control character in it" : nil
    }

    /// What is wrong with the name of a file as a Content-ID: `cid:` URLs name it as it is (RFC 2392), in ASCII.
    package static func fault(ofContentID name: String) -> String? {
        let isPlain = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || "._-+@".utf8.contains(byte)
        }
        return isPlain ? fault(ofName: name) : "has other characters than letters of ASCII, digits and . _ - + @, as a cid: needs them"
    }
}
