package import Model

/// One line of the record: one recipient of one message, and the response that was given.
package struct SinkRecord: Sendable, Equatable {
    /// When the message was begun (MAIL, or the end of the request's head), in microseconds since 1970.
    package var begun: Int64
    /// When the response was decided: at the last byte of the message, before the latency; in microseconds since 1970.
    package var decided: Int64
    package var channel: Channel
    package var recipient: String
    /// The mailing that the message id names; empty for an id that is not Flotilla's.
    package var mailing: String
    /// E-mail: the Message-ID without its brackets; HTTP: the Idempotency-Key.
    package var messageID: String
    /// The code of the response; 0 where none was given.
    package var code: Int
    package var accepted: Bool
    package var stage: DeliveryStage
    /// Bytes of the message; 0 where it never came.
    package var bytes: Int
    /// The sink's own name for the message, as its response gave it; empty unless it was taken.
    package var queueID: String
    /// The number of the connection, from 1.
    package var connection: Int
}

extension SinkRecord {
    /// Reads a line without its end; nil for an incomplete line.
    package init?(line: Substring) {
        let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard columns.count == 12, let begun = Int64(columns[0]), let decided = Int64(columns[1]),
            let channel = Channel(rawValue: String(columns[2])), let code = Int(columns[6]),
            let stage = DeliveryStage(rawValue: String(columns[8])), let bytes = Int(columns[9]),
            let connection = Int(columns[11]), columns[7] == "1" || columns[7] == "0"
        else { return nil }
        self.begun = begun
        self.decided = decided
        self.channel = channel
        recipient = Self.unescaped(columns[3])
        mailing = Self.unescaped(columns[4])
        messageID = Self.unescaped(columns[5])
        self.code = code
        accepted = columns[7] == "1"
        self.stage = stage
        self.bytes = bytes
        queueID = String(columns[10])
        self.connection = connection
    }

    /// Reads the text of a record file; lines that are not whole are skipped.
    package static func read(_ text: String) -> [SinkRecord] {
        text.split(separator: "\n").compactMap(SinkRecord.init)
    }

    /// Takes `\xHH` back to bytes.
    private static func unescaped(_ text: Substring) -> String {
        guard text.utf8.contains(Byte.backslash) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == Byte.backslash, rest.first == UInt8(ascii: "x"),
                let value = UInt8(Substring(rest.dropFirst().prefix(2)), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
