/// What a part's body says, without its transfer encoding (RFC 2045 section 6). Whatever is wrong in it is passed over.
enum TransferEncoding {
    case none, quotedPrintable, base64

    /// - Parameter name: of the field Content-Transfer-Encoding.
    init(_ name: String) {
        switch name.prefix(while: { $0 != " " && $0 != ";" }).lowercased() {
        case "quoted-printable": self = .quotedPrintable
        case "base64": self = .base64
        default: self = .none
        }
    }

    func decode(_ body: [UInt8]) -> [UInt8] {
        switch self {
        case .none: body
        case .quotedPrintable: Self.quotedPrintable(body)
        case .base64: Self.base64(body)
        }
    }

    private static func quotedPrintable(_ body: [UInt8]) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(body.count)
        var index = 0
        while index < body.count {
            let byte = body[index]
            index += 1
            guard byte == UInt8(ascii: "=") else {
                plain.append(byte)
                continue
            }
            if index + 1 < body.count, let high = digit(body[index]), let low = digit(body[index + 1]) {
                plain.append(high << 4 | low)
                index += 2
            } else if index < body.count, body[index] == UInt8(ascii: "\n") {
                index += 1
            } else {
                plain.append(byte)
            }
        }
        return plain
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func base64(_ body: [UInt8]) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(body.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for byte in body {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: continue
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                plain.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return plain
    }
}
