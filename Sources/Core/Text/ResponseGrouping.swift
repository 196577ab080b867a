/// Takes out of a provider's response what differs from one recipient to the next, so that equal responses are counted together.
package enum ResponseGrouping {
    /// At most this many different texts are counted for a mailing; the rest is counted under `other`.
    package static let distinctLimit = 200
    package static let other = "other"
    private static let longest = 160

    /// Replaces e-mail addresses by `address` and numbers, ids and IP addresses by `#`, folds white space, keeps an
    /// enhanced status code (RFC 3463) in front, and cuts at 160 bytes. A word of six bytes or more is an id where it begins with a digit
    /// or has two: `SMTPUTF8` is none.
    package static func normalise(_ text: String) -> String {
        var out: [UInt8] = []
        var word: [UInt8] = []
        var isFirst = true
        func endWord() {
            guard !word.isEmpty else { return }
            out.append(contentsOf: isFirst && isEnhancedCode(word) ? word[...] : replacement(word))
            isFirst = false
            word.removeAll(keepingCapacity: true)
        }
        for byte in text.utf8.prefix(longest * 4) {
            if isDelimiter(byte) {
                endWord()
                let mark = byte < 0x20 ? UInt8(ascii: " ") : byte
                if mark != UInt8(ascii: " ") || (out.last != mark && !out.isEmpty) { out.append(mark) }
            } else {
                word.append(byte)
            }
        }
        endWord()
        while out.last == UInt8(ascii: " ") { out.removeLast() }
        if out.count > longest {
            out.removeSubrange(longest...)
            // Cut before a character that would be left in part (RFC 3629: continuation bytes are 10xxxxxx).
            while let last = out.last, last & 0xc0 == 0x80 { out.removeLast() }
            if let last = out.last, last >= 0xc0 { out.removeLast() }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "\""), UInt8(ascii: "'"),
            UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "/"), UInt8(ascii: "|"):
            true
        default: false
        }
    }

    private static func isEnhancedCode(_ word: [UInt8]) -> Bool {
        let parts = word.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0].count == 1
            && parts.allSatisfy { (1...3).contains($0.count) && $0.allSatisfy(\.isDigit) }
    }

    private static func replacement(_ word: [UInt8]) -> ArraySlice<UInt8> {
        if word.contains(UInt8(ascii: "@")) { return ArraySlice("address".utf8) }
        guard word.contains(where: \.isDigit) else { return word[...] }
        // A full stop or colon behind a number is the sentence's, not the number's.
        let tail = word.last.map { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") } == true ? word.suffix(1) : []
        let body = word.dropLast(tail.count)
        let isNumber = body.allSatisfy {
            $0.isDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "-")
        }
        let isID = body.count >= 6 && (body.first?.isDigit == true || body.count(where: \.isDigit) >= 2)
        return isNumber || isID ? ArraySlice(CollectionOfOne(UInt8(ascii: "#")) + tail) : word[...]
    }
}
