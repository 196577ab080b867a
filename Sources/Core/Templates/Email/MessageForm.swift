/// A form in which a message can be read.
package enum MessageForm: String, Sendable, CaseIterable {
    case text, html

    /// A message as it was before dots at the start of its lines were doubled for SMTP (RFC 5321 section 4.5.2).
    package static func unstuffed(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var isStart = true
        for byte in bytes {
            if isStart, byte == UInt8(ascii: ".") {
                isStart = false
                continue
            }
            plain.append(byte)
            isStart = byte == UInt8(ascii: "\n")
        }
        return plain
    }
}
