/// The textual forms of IP addresses.
package enum IPAddress {
    /// Four decimal numbers of 0 to 255 with dots between, without leading zeros (RFC 6943 section 3.1.1, strict form).
    package static func isVersion4(_ text: some Collection<UInt8>) -> Bool { version4(text) != nil }

    /// Eight groups of up to four hexadecimal digits, the last two perhaps as IPv4, at most one `::` (RFC 4291 section 2.2).
    package static func isVersion6(_ text: some Collection<UInt8>) -> Bool { groups(of: text) != nil }

    /// The canonical form of an IPv6 address (RFC 5952): lower case, no leading zeros, the longest run of zero groups as `::`, and an
    /// IPv4-mapped address with its last part in decimal. Nil for a text that is no IPv6 address.
    package static func canonicalVersion6(_ text: some Collection<UInt8>) -> String? {
        guard let groups = groups(of: text) else { return nil }
        if groups[..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xffff {
            return "::ffff:\(groups[6] >> 8).\(groups[6] & 0xff).\(groups[7] >> 8).\(groups[7] & 0xff)"
        }
        func joined(_ part: some Collection<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        let gap = longestZeros(groups)
        guard gap.count > 1 else { return joined(groups) }
        return joined(groups[..<gap.lowerBound]) + "::" + joined(groups[gap.upperBound...])
    }

    /// An address as a number of 128 bits; IPv4 as its mapped form, `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2). Nil for any other text.
    package static func number(_ text: [UInt8]) -> UInt128? {
        if let value = value4(text) { return 0xffff_0000_0000 | UInt128(value) }
        return groups(of: text)?.reduce(UInt128(0)) { $0 << 16 | UInt128($1) }
    }

    /// The same as `version4` as one number, without memory of its own: a tracker reads the address of each visitor.
    private static func value4(_ text: [UInt8]) -> UInt32? {
        guard 7...15 ~= text.count else { return nil }
        var (value, part, digits, dots) = (UInt32(0), UInt32(0), 0, 0)
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard digits > 0 else { return nil }
                value = value << 8 | part
                (part, digits) = (0, 0)
                dots += 1
            } else {
                guard byte.isDigit, digits < 3, digits == 0 || part > 0 else { return nil }
                part = part * 10 + UInt32(byte - UInt8(ascii: "0"))
                guard part <= 255 else { return nil }
                digits += 1
            }
            guard dots <= 3 else { return nil }
        }
        return dots == 3 && digits > 0 ? value << 8 | part : nil
    }

    private static func version4(_ text: some Collection<UInt8>) -> [UInt16]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt16] = []
        for part in parts {
            guard 1...3 ~= part.count, part.allSatisfy(\.isDigit), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            let value = part.reduce(0) { $0 * 10 + UInt16($1 - UInt8(ascii: "0")) }
            guard value <= 255 else { return nil }
            bytes.append(value)
        }
        return bytes
    }

    private static func groups(of text: some Collection<UInt8>) -> [UInt16]? {
        let bytes = Array(text)
        let colon = UInt8(ascii: ":")
        guard let gap = bytes.indices.first(where: { bytes[$0] == colon && $0 + 1 < bytes.count && bytes[$0 + 1] == colon }) else {
            return part(bytes[...]).flatMap { $0.count == 8 ? $0 : nil }
        }
        guard let head = part(bytes[..<gap], mayEndInVersion4: false), let tail = part(bytes[(gap + 2)...]),
            head.count + tail.count <= 7
        else { return nil }
        return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    /// The groups on one side of a `::`.
    private static func part(_ text: ArraySlice<UInt8>, mayEndInVersion4: Bool = true) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var words = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var end: [UInt16] = []
        if mayEndInVersion4, let last = words.last, last.contains(UInt8(ascii: ".")) {
            guard let bytes = version4(last) else { return nil }
            end = [bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3]]
            words.removeLast()
        }
        var groups: [UInt16] = []
        for word in words {
            guard 1...4 ~= word.count else { return nil }
            var value: UInt16 = 0
            for byte in word {
                guard let digit = byte.hexadecimalValue else { return nil }
                value = value << 4 | UInt16(digit)
            }
            groups.append(value)
        }
        return groups + end
    }

    /// The first of the longest runs of zero groups; empty where there is none.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for index in groups.indices {
            guard groups[index] == 0 else {
                start = index + 1
                continue
            }
            if index + 1 - start > best.count { best = start..<(index + 1) }
        }
        return best
    }
}
