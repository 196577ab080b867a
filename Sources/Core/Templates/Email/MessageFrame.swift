import Model

/// What stands around the texts of each message of a mailing with files: the parts and their boundaries, made once, so that a message costs
/// no more than copying them. Attachments stand in multipart/mixed around multipart/related, which has the pictures of the HTML (RFC 2387),
/// around the texts.
final class MessageFrame: Sendable {
    /// The headers of the outer parts, up to those of the texts, for texts of 7 bit and of 8 bit.
    private let begin: (sevenBit: [UInt8], eightBit: [UInt8])
    private let end: [UInt8]
    /// The invitation, with its headers: the last form of the text. Empty for none.
    let calendar: [UInt8]

    /// - Parameters:
    ///   - boundary: of the texts; those around them are made of it, so that none begins as another does.
    ///   - root: the type of the texts' part.
    init(_ files: MailFiles, boundary: [UInt8], root: String) {
        var begin = (sevenBit: [UInt8](), eightBit: [UInt8]())
        var end: [UInt8] = []
        func wrap(_ kind: String, _ mark: Character, _ files: [MailFile], _ disposition: String) {
            guard !files.isEmpty else { return }
            let boundary = "=\(mark)" + String(decoding: boundary.dropFirst(2), as: UTF8.self)
            let type = "Content-Type: multipart/\(kind);\r\n boundary=\"\(boundary)\"\r\n"
            begin.sevenBit = Array("\(type)\r\n--\(boundary)\r\n".utf8) + begin.sevenBit
            // A part has the encoding of what is in it (RFC 2045 section 6.4).
            begin.eightBit = Array("\(type)Content-Transfer-Encoding: 8bit\r\n\r\n--\(boundary)\r\n".utf8) + begin.eightBit
            for file in files {
                end += "--\(boundary)\r\n".utf8
                file.appendPart(disposition, to: &end)
            }
            end += "--\(boundary)--\r\n".utf8
        }
        wrap("related; type=\"\(root)\"", "r", files.inline, "inline")
        wrap("mixed", "m", files.attachments, "attachment")
        (self.begin, self.end) = (begin, end)
        var calendar: [UInt8] = []
        files.calendar?.appendPart(nil, to: &calendar)
        self.calendar = calendar
    }

    func open(eightBit: Bool, into out: inout [UInt8]) { out.append(contentsOf: eightBit ? begin.eightBit : begin.sevenBit) }

    func close(into out: inout [UInt8]) { out.append(contentsOf: end) }
}
