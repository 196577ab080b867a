/// The textual forms of IP addresses.
package enum IPAddressText {
    /// Four decimal numbers of 0 to 255 with dots between, without leading zeros (RFC 6943 section 3.1.1, strict form).
    package static func isVersion4(_ text: some Collection<UInt8>) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard 1...3 ~= part.count, part.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
                    return false
                }
                if part.count > 1, part.first == UInt8(ascii: "0") { return false }
                return part.reduce(0) { $0 * 10 + Int($1) - 48 } <= 255
            }
    }

    /// Eight groups of up to four hexadecimal digits, the last two perhaps as IPv4, at most one `::` (RFC 4291 section 2.2).
    package static func isVersion6(_ text: some Collection<UInt8>) -> Bool {
        var parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { [UInt8]($0) }
        if let last = parts.last, last.contains(UInt8(ascii: ".")) {
            guard isVersion4(last) else { return false }
            parts.removeLast()
            parts += [[UInt8(ascii: "0")], [UInt8(ascii: "0")]]
        }
        var groups = 0
        var gaps = 0
        for (index, part) in parts.enumerated() {
            if part.isEmpty {
                // A gap is one empty part in the middle, or two at an end.
                if index == 0 {
                    guard parts.count > 1, parts[1].isEmpty else { return false }
                } else if index == parts.count - 1 {
                    guard parts[index - 1].isEmpty else { return false }
                } else {
                    gaps += 1
                }
                continue
            }
            guard part.count <= 4, part.allSatisfy(isHexadecimal) else { return false }
            groups += 1
        }
        return gaps == 0 ? groups == 8 : gaps == 1 && groups <= 7
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
