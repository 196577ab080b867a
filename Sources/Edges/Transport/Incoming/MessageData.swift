/// The text of a message as SMTP sends it after DATA, from its first byte to the final dot (RFC 5321 section 4.1.1.4). Only CRLF, dot, CRLF
/// ends it: a line end of LF or CR alone is text, so that nobody smuggles a second message in.
struct MessageData {
    private enum Place {
        case lineStart
        /// Behind a dot at the start of a line.
        case dot
        /// Behind such a dot and CR.
        case dotReturn
        case text
        /// Behind CR within a line.
        case afterReturn
    }

    /// Bytes that are kept at most.
    let keptMost: Int
    /// The beginning of the text, without stuffed dots (section 4.5.2).
    private(set) var kept: [UInt8] = []
    /// Bytes of the text that have come, with stuffed dots.
    private(set) var count = 0
    /// What is kept is given up, and nothing more is kept.
    private(set) var isDiscarded = false
    private var place = Place.lineStart

    init(keptMost: Int) { self.keptMost = keptMost }

    mutating func discard() {
        isDiscarded = true
        kept = []
    }

    /// Takes what has come.
    /// - Returns: how many of the bytes belong to the text and its final dot, when that is among them; else nil.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Int? {
        for (offset, byte) in bytes.enumerated() {
            switch (place, byte) {
            case (.dotReturn, UInt8(ascii: "\n")):
                count += offset + 1
                return offset + 1
            case (.lineStart, UInt8(ascii: ".")):
                place = .dot
                continue
            case (.dot, UInt8(ascii: "\r")):
                place = .dotReturn
                continue
            case (.dotReturn, _):
                keep(UInt8(ascii: "\r"))
                place = .afterReturn
            default: break
            }
            keep(byte)
            switch byte {
            case UInt8(ascii: "\r"): place = .afterReturn
            case UInt8(ascii: "\n") where place == .afterReturn: place = .lineStart
            default: place = .text
            }
        }
        count += bytes.count
        return nil
    }

    private mutating func keep(_ byte: UInt8) { if kept.count < keptMost, !isDiscarded { kept.append(byte) } }
}
