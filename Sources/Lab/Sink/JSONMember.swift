/// Finds one value in a JSON text (RFC 8259) without building the rest.
enum JSONMember {
    /// Appends the recipient: the value of the first member of the outermost object that is named `to`, `address` or
    /// `recipient`, where it is a string or an array that begins with one. Appends nothing where there is none, and
    /// guesses nothing where the text is not JSON.
    static func recipient(in text: UnsafeRawBufferPointer, into out: inout [UInt8]) {
        var scanner = Scanner(text: text)
        guard scanner.take(UInt8(ascii: "{")) else { return }
        while let name = scanner.string() {
            guard scanner.take(Byte.colon) else { return }
            if isRecipient(text.slice(name)) {
                _ = scanner.take(UInt8(ascii: "["))
                if let value = scanner.string() { unescape(text.slice(value), into: &out) }
                return
            }
            guard scanner.skipValue(), scanner.take(UInt8(ascii: ",")) else { return }
        }
    }

    private static func isRecipient(_ name: UnsafeRawBufferPointer) -> Bool {
        name.elementsEqual("to".utf8) || name.elementsEqual("address".utf8) || name.elementsEqual("recipient".utf8)
    }

    private static func unescape(_ text: UnsafeRawBufferPointer, into out: inout [UInt8]) {
        guard text.place(of: Byte.backslash) != nil else {
            out.append(contentsOf: text)
            return
        }
        var position = 0
        while position < text.count {
            let byte = text[position]
            position += 1
            guard byte == Byte.backslash, position < text.count else {
                out.append(byte)
                continue
            }
            let escaped = text[position]
            position += 1
            switch escaped {
            case UInt8(ascii: "n"): out.append(Byte.lf)
            case UInt8(ascii: "r"): out.append(Byte.cr)
            case UInt8(ascii: "t"): out.append(Byte.tab)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0c)
            case UInt8(ascii: "u"): out.append(contentsOf: scalar(text, &position))
            default: out.append(escaped)
            }
        }
    }

    /// Reads the digits of `\uHHHH`, and a second half where the first one needs it; U+FFFD for what is no character.
    private static func scalar(_ text: UnsafeRawBufferPointer, _ position: inout Int) -> [UInt8] {
        let wrong = Array("\u{FFFD}".utf8)
        guard var value = unit(text, &position) else { return wrong }
        if (0xd800..<0xdc00).contains(value), text.slice(from: position).starts(with: "\\u") {
            position += 2
            guard let low = unit(text, &position), (0xdc00..<0xe000).contains(low) else { return wrong }
            value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
        }
        return Unicode.Scalar(value).map { Array(String($0).utf8) } ?? wrong
    }

    private static func unit(_ text: UnsafeRawBufferPointer, _ position: inout Int) -> UInt32? {
        guard position + 4 <= text.count else { return nil }
        defer { position += 4 }
        return UInt32(String(decoding: text.slice(position..<position + 4), as: UTF8.self), radix: 16)
    }

    private struct Scanner {
        let text: UnsafeRawBufferPointer
        var position = 0

        init(text: UnsafeRawBufferPointer) { self.text = text }

        mutating func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard position < text.count, text[position] == byte else { return false }
            position += 1
            return true
        }

        /// Reads a string; gives where it lies, between its quotes.
        mutating func string() -> Range<Int>? {
            guard take(Byte.quote) else { return nil }
            let start = position
            while let quote = text.place(of: Byte.quote, from: position) {
                // The quote ends the string unless an odd number of backslashes stands before it.
                var slashes = 0
                while quote - slashes > start, text[quote - slashes - 1] == Byte.backslash { slashes += 1 }
                position = quote + 1
                if slashes.isMultiple(of: 2) { return start..<quote }
            }
            return nil
        }

        /// Passes over a value of any kind; false when the text ends within it.
        mutating func skipValue() -> Bool {
            var depth = 0
            repeat {
                skipSpace()
                guard position < text.count else { return false }
                switch text[position] {
                case Byte.quote: guard string() != nil else { return false }
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    guard depth > 0 else { return false }
                    depth -= 1
                    position += 1
                case UInt8(ascii: ","), Byte.colon:
                    guard depth > 0 else { return false }
                    position += 1
                default: skipWord()
                }
            } while depth > 0
            return true
        }

        /// Passes over a number, `true`, `false` or `null`.
        private mutating func skipWord() {
            while position < text.count {
                switch text[position] {
                case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), Byte.colon, Byte.quote, UInt8(ascii: "{"),
                    UInt8(ascii: "["), 0...Byte.space:
                    return
                default: position += 1
                }
            }
        }

        private mutating func skipSpace() {
            while position < text.count {
                switch text[position] {
                case Byte.space, Byte.lf, Byte.cr, Byte.tab: position += 1
                default: return
                }
            }
        }
    }
}
