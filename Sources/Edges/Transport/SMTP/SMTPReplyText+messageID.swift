extension SMTPReplyText {
    /// The server's own name for a message that it took, from the text of the reply to the final dot; empty where none
    /// is found. There is no standard for it; these are the ways of Postfix ("queued as X"), Exim ("OK id=X"), sendmail
    /// ("X Message accepted for delivery"), Exchange ("<X> [...] Queued mail for delivery"), Gmail ("OK 17 X - gsmtp")
    /// and of Amazon SES, SparkPost and others ("Ok X").
    static func messageID(_ text: borrowing Span<UInt8>) -> String {
        // "2.0.0 Ok" and the like have no room for one.
        guard text.count > 10, text.count <= longest else { return "" }
        if let end = find("queued as ", in: text) { return token(text, from: end) }
        let words = words(text)
        for (place, word) in words.enumerated() {
            let next = place + 1 < words.count ? words[place + 1] : nil
            if starts(text, word, with: "id="), word.count > 3 { return token(text, from: word.lowerBound + 3) }
            if let next, place > 0, starts(text, next, with: "message"), find("accepted for delivery", in: text) != nil {
                return checked(text, word)
            }
            if let next, next.count == 1, text[next.lowerBound] == UInt8(ascii: "-"), place + 3 == words.count {
                return starts(text, words[place + 2], with: "gsmtp") ? checked(text, word) : ""
            }
        }
        if let first = words.first(where: { text[$0.lowerBound] == UInt8(ascii: "<") }),
            find("queued mail", in: text) != nil
        {
            return token(text, from: first.lowerBound)
        }
        if words.count >= 2, let last = words.last, last.count >= 8, starts(text, words[words.count - 2], with: "ok") {
            return checked(text, last)
        }
        return ""
    }

    /// A token from `start` up to a space, without the brackets and stops around it.
    private static func token(_ text: borrowing Span<UInt8>, from start: Int) -> String {
        var end = start
        while end < text.count, text[end] > UInt8(ascii: " ") { end += 1 }
        return checked(text, start..<end)
    }

    private static func checked(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> String {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, text[start] == UInt8(ascii: "<") || text[start] == UInt8(ascii: "(") { start += 1 }
        while start < end,
            [UInt8(ascii: ">"), UInt8(ascii: ")"), UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: ";")]
                .contains(text[end - 1])
        {
            end -= 1
        }
        guard end - start <= 200 else { return "" }
        for index in start..<end where text[index] <= 0x20 || text[index] > 0x7e { return "" }
        return string(text.extracting(start..<end))
    }

    private static func words(_ text: borrowing Span<UInt8>) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var start: Int?
        for index in text.indices {
            if text[index] > UInt8(ascii: " ") {
                if start == nil { start = index }
            } else if let begun = start {
                words.append(begun..<index)
                start = nil
            }
        }
        if let start { words.append(start..<text.count) }
        return words
    }

    /// The word starts with `prefix` (lower case) in any case.
    private static func starts(_ text: borrowing Span<UInt8>, _ word: Range<Int>, with prefix: StaticString) -> Bool {
        guard word.count >= prefix.utf8CodeUnitCount else { return false }
        return matches(text, at: word.lowerBound, prefix)
    }

    /// The place behind the first `phrase` (lower case, found in any case).
    private static func find(_ phrase: StaticString, in text: borrowing Span<UInt8>) -> Int? {
        let length = phrase.utf8CodeUnitCount
        guard text.count >= length else { return nil }
        for start in 0...text.count - length where matches(text, at: start, phrase) { return start + length }
        return nil
    }

    private static func matches(_ text: borrowing Span<UInt8>, at start: Int, _ phrase: StaticString) -> Bool {
        phrase.withUTF8Buffer { bytes in
            for index in bytes.indices {
                let byte = text[start + index]
                let lower = 65...90 ~= byte ? byte | 0x20 : byte
                if lower != bytes[index] { return false }
            }
            return true
        }
    }
}
