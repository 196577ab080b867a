import Model
import Text

/// What a line of the record is written from: the values where they lie.
struct RecordLine {
    var begun: Int64
    var decided: Int64
    var channel: Channel
    var recipient: UnsafeRawBufferPointer
    var messageID: UnsafeRawBufferPointer
    var code: Int
    var accepted: Bool
    var stage: DeliveryStage
    var bytes: Int
    /// 0 for none.
    var queueID: UInt64
    var connection: Int

    /// Appends the line with its end.
    func append(to out: inout [UInt8]) {
        Self.append(begun, to: &out)
        out.append(Byte.tab)
        Self.append(decided, to: &out)
        out.append(Byte.tab)
        out.append(contentsOf: channel.rawValue.utf8)
        out.append(Byte.tab)
        Self.append(escaped: recipient, to: &out)
        out.append(Byte.tab)
        Self.append(escaped: Self.mailing(of: messageID), to: &out)
        out.append(Byte.tab)
        Self.append(escaped: messageID, to: &out)
        out.append(Byte.tab)
        Self.append(Int64(code), to: &out)
        out.append(Byte.tab)
        out.append(accepted ? UInt8(ascii: "1") : UInt8(ascii: "0"))
        out.append(Byte.tab)
        out.append(contentsOf: stage.rawValue.utf8)
        out.append(Byte.tab)
        Self.append(Int64(bytes), to: &out)
        out.append(Byte.tab)
        if queueID != 0 { Self.append(hexadecimal: queueID, to: &out) }
        out.append(Byte.tab)
        Self.append(Int64(connection), to: &out)
        out.append(Byte.lf)
    }

    /// The mailing in `mailing.batch.index`, with or without an `@` and a domain behind it; empty in any other id.
    static func mailing(of id: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let end = id.place(of: UInt8(ascii: "@")) ?? id.count
        var dots = 0
        var position = end
        var digits = 0
        while position > 0 {
            position -= 1
            switch id[position] {
            case 0x30...0x39: digits += 1
            case Byte.dot where digits > 0:
                dots += 1
                digits = 0
                if dots == 2 { return id.slice(0..<position) }
            default: return id.slice(0..<0)
            }
        }
        return id.slice(0..<0)
    }

    /// Appends the 16 digits of a number.
    static func append(hexadecimal value: UInt64, to out: inout [UInt8]) {
        for shift in stride(from: 60, through: 0, by: -4) { out.append(.lowercaseHexadecimalDigit(UInt8(value >> UInt64(shift) & 15))) }
    }

    private static func append(_ value: Int64, to out: inout [UInt8]) {
        if value < 0 { out.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var divisor: UInt64 = 1
        while rest / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            out.append(UInt8(ascii: "0") + UInt8(rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }

    /// Writes what would break the form of a line (control characters, quotes, backslashes), and the bytes above 127 of
    /// a value that is no UTF-8, as `\xHH`.
    private static func append(escaped value: UnsafeRawBufferPointer, to out: inout [UInt8]) {
        var isPlain = true
        for byte in value where !(0x20..<0x7f).contains(byte) || byte == Byte.quote || byte == Byte.backslash {
            isPlain = false
            break
        }
        if isPlain {
            out.append(contentsOf: value)
            return
        }
        let isUTF8 = String(validating: value, as: UTF8.self) != nil
        for byte in value {
            switch byte {
            case Byte.quote, Byte.backslash, 0..<0x20, 0x7f: break
            case 0x80... where !isUTF8: break
            default:
                out.append(byte)
                continue
            }
            out.append(contentsOf: [
                Byte.backslash, UInt8(ascii: "x"), .lowercaseHexadecimalDigit(byte >> 4), .lowercaseHexadecimalDigit(byte & 15),
            ])
        }
    }
}
