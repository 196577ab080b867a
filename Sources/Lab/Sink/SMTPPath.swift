/// A path in angle brackets, as MAIL and RCPT have it (RFC 5321 section 4.1.2), and what stands behind it.
struct SMTPPath {
    /// The address without brackets and source route; empty for the null path.
    let address: UnsafeRawBufferPointer
    /// The parameters: nothing, or from the space behind the path.
    let parameters: UnsafeRawBufferPointer

    /// Reads the path at the beginning of a text; nil when there is none.
    init?(_ text: UnsafeRawBufferPointer) {
        guard text.first == Byte.less else { return nil }
        var position = 1
        var isQuoted = false
        scan: while true {
            guard position < text.count else { return nil }
            switch text[position] {
            case Byte.quote: isQuoted.toggle()
            case Byte.backslash where isQuoted: position += 1
            case Byte.greater where !isQuoted: break scan
            case Byte.space where !isQuoted, Byte.less where !isQuoted: return nil
            case 0..<0x20, 0x7f: return nil
            default: break
            }
            position += 1
        }
        var start = 1
        if text[1] == UInt8(ascii: "@") {
            guard let colon = text.place(of: Byte.colon), colon < position else { return nil }
            start = colon + 1
        }
        address = text.slice(start..<position)
        parameters = text.slice(from: position + 1)
        guard parameters.isEmpty || parameters.first == Byte.space else { return nil }
    }

    /// It has a local part and a domain, or is `postmaster`.
    var isMailbox: Bool {
        if address.equalsIgnoringCase("postmaster") { return true }
        guard let at = address.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return at > 0 && at < address.count - 1
    }

    /// Calls `body` with each parameter until it gives a value.
    func firstParameter<Value>(_ body: (UnsafeRawBufferPointer) -> Value?) -> Value? {
        var rest = parameters
        while !rest.isEmpty {
            let end = rest.place(of: Byte.space) ?? rest.count
            if end > 0, let value = body(rest.slice(0..<end)) { return value }
            rest = rest.slice(from: min(end + 1, rest.count))
        }
        return nil
    }
}
