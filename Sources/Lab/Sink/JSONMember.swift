import NIOCore
import Text

/// Finds one value in a JSON text (RFC 8259) without building the rest.
enum JSONMember {
    /// Appends the recipient: the value of the first member of the outermost object that is named `to`, `address` or
    /// `recipient`, where it is a string or an array that begins with one. Appends nothing where there is none, and
    /// guesses nothing where the text is not JSON.
    static func recipient(in text: ByteBuffer, into out: inout [UInt8]) {
        text.withUnsafeReadableBytes { recipient(in: $0, into: &out) }
    }

    private static func recipient(in text: UnsafeRawBufferPointer, into out: inout [UInt8]) {
        let start = out.count
        do {
            try text.withMemoryRebound(to: UInt8.self) { bytes throws(JSONSyntaxError) in
                var cursor = JSONCursor(bytes, tolerance: .lenient)
                try find(&cursor, into: &out)
            }
        } catch {
            out.removeSubrange(start...)
        }
    }

    private static func find(_ cursor: inout JSONCursor, into out: inout [UInt8]) throws(JSONSyntaxError) {
        guard cursor.take(UInt8(ascii: "{")), cursor.peek() == Byte.quote else { return }
        repeat {
            // The member's name is written for a moment where the recipient will stand.
            let start = out.count
            try cursor.key(into: &out)
            let isRecipient = ["to", "address", "recipient"].contains { out[start...].elementsEqual($0.utf8) }
            out.removeSubrange(start...)
            guard isRecipient else {
                try cursor.skipValue()
                continue
            }
            _ = cursor.take(UInt8(ascii: "["))
            if cursor.peek() == Byte.quote { try cursor.string(into: &out) }
            return
        } while cursor.take(UInt8(ascii: ","))
    }
}
