extension EmailAddress {
    /// The same as `normalise`, for an address as people paste it: with `mailto:` in front, in angle brackets with or without a name before
    /// them, in quotation marks, with a comma, semicolon, colon or full stop behind it, and with characters in it that nobody sees. Nothing
    /// is taken off that could be part of the address, and of two addresses none is chosen.
    /// - Returns: what is wrong with the address as it stands, or nil.
    package static func normalise(pasted raw: UnsafeBufferPointer<UInt8>, into out: inout [UInt8]) -> EmailAddressError? {
        let start = out.count
        guard let fault = normalise(raw, into: &out) else { return nil }
        func isAddress(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
            out.removeSubrange(start...)
            return normalise(unwrapped(text.trimmed), into: &out) == nil
        }
        return isAddress(raw) || raw.visible?.withUnsafeBufferPointer(isAddress) == true ? nil : fault
    }

    /// Pairs of marks that people put around an address.
    private static let pairs: [([UInt8], [UInt8])] = [
        ("<", ">"), ("=\"", "\""), ("\"", "\""), ("'", "'"), ("“", "”"), ("„", "“"), ("‘", "’"), ("«", "»"),
    ]
    .map { (Array($0.utf8), Array($1.utf8)) }

    private static func unwrapped(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        var rest = text[...]
        var count = 0
        while rest.count != count {
            count = rest.count
            while let last = rest.last, ",;:.".utf8.contains(last) { rest.removeLast() }
            let scheme = "mailto:".utf8
            if rest.count > scheme.count, ASCII.equalIgnoringCase(rest.prefix(scheme.count), scheme) { rest.removeFirst(scheme.count) }
            for (open, close) in pairs where rest.count > open.count + close.count && rest.starts(with: open) {
                if rest.suffix(close.count).elementsEqual(close) { rest = rest.dropFirst(open.count).dropLast(close.count) }
            }
            rest = unnamed(rest)
            rest = UnsafeBufferPointer(rebasing: rest).trimmed[...]
        }
        return UnsafeBufferPointer(rebasing: rest)
    }

    /// The address in the angle brackets behind a name that holds no address.
    private static func unnamed(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Slice<UnsafeBufferPointer<UInt8>> {
        guard text.last == UInt8(ascii: ">"), let open = text.firstIndex(of: UInt8(ascii: "<")),
            !text[..<open].contains(UInt8(ascii: "@"))
        else { return text }
        return text[(open + 1)...].dropLast()
    }
}
