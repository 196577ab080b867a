/// An e-mail address that a message can be sent to: a Mailbox of RFC 5321 section 4.1.2 (with RFC 6531 for UTF-8), without a
/// display name, comments or folded white space; its domain in lower case, its local part as it was written.
///
/// Stricter than the RFC in two points: a domain has a dot in it (nobody sends mass mail to `root@localhost`), and its last
/// label is not a number (`anna@10.0.0.1` lacks brackets). A domain beyond ASCII stands as people read it (U-labels), and one that is
/// written in ASCII (A-labels) stays so: `asciiForm` is what goes to a server, and the key is the same for both. A local part is in quotes
/// only where it has to be: those with and without are one mailbox (RFC 5321 section 4.1.2).
package struct EmailAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address in its normal form.
    package let description: String

    package init(_ text: String) throws(EmailAddressError) {
        var out: [UInt8] = []
        var text = text
        let fault = text.withUTF8 { Self.normalise($0, into: &out) }
        if let fault { throw fault }
        description = String(decoding: out, as: UTF8.self)
    }

    /// Checks an address and appends its normal form to `out`; white space around it is dropped.
    /// - Parameter raw: UTF-8; other bytes are an error.
    /// - Returns: what is wrong with it, or nil; `out` may have grown even then.
    package static func normalise(_ raw: UnsafeBufferPointer<UInt8>, into out: inout [UInt8]) -> EmailAddressError? {
        let bytes = raw.trimmed
        guard !bytes.isEmpty else { return .empty }
        guard bytes.count <= 1024 else { return .tooLong }
        var isForeign = false
        let at: Int
        switch localPart(bytes, &isForeign) {
        case .success(let end): at = end
        case .failure(let fault): return fault
        }
        guard at > 0 else { return .noLocalPart }
        if bytes[0] == UInt8(ascii: "\""), case let local = simplestForm(ofQuoted: bytes[1..<(at - 1)]), local.count != at {
            guard !local.isEmpty else { return .noLocalPart }
            return (local + bytes[at...]).withUnsafeBufferPointer { normalise($0, into: &out) }
        }
        guard at <= 64 else { return .longLocalPart }
        guard at + 1 < bytes.count else { return .noDomain }
        if bytes[at + 1] == UInt8(ascii: "[") {
            if let fault = literal(UnsafeBufferPointer(rebasing: bytes[(at + 1)...])) { return fault }
        } else if let fault = domain(bytes, from: at + 1, &isForeign) {
            return fault
        }
        if isForeign { return international(bytes, at: at, into: &out) }
        guard bytes.count <= 254 else { return .tooLong }
        let domainStart = out.count + at + 1
        out.append(contentsOf: bytes)
        out.withUnsafeMutableBufferPointer { out in
            for index in domainStart..<out.count { out[index] = out[index].lowercased }
        }
        return nil
    }

    /// Appends the form in which two addresses are compared, and by which a person is looked up: all of it in lower case,
    /// since no provider in use tells mailboxes apart by case (RFC 5321 section 2.4 discourages it), beyond ASCII in normalisation
    /// form C, and with the domain's A-labels.
    /// - Parameter normal: an address in its normal form, or in that of an older release, which kept needless quotation marks.
    package static func appendKey(of normal: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
        if normal.first == UInt8(ascii: "\""), let simple = withoutNeedlessQuotes(normal) {
            return simple.withUnsafeBufferPointer { appendKey(of: $0, to: &out) }
        }
        let start = out.count
        out.append(contentsOf: normal)
        if ByteKinds.isLowerASCII(normal) { return }
        var bits: UInt8 = 0
        out.withUnsafeMutableBufferPointer { out in
            for index in start..<out.count {
                bits |= out[index]
                out[index] = out[index].lowercased
            }
        }
        guard bits >= 0x80 else { return }
        out.removeSubrange(start...)
        appendInternationalKey(of: normal, to: &out)
    }
}

extension EmailAddress {
    /// The index of the `@` after the local part. Anything from U+0080 counts as atext here (RFC 6531 section 3.3).
    private static func localPart(
        _ bytes: UnsafeBufferPointer<UInt8>, _ isForeign: inout Bool
    ) -> Result<Int, EmailAddressError> {
        if bytes[0] == UInt8(ascii: "\"") { return quotedLocalPart(bytes, &isForeign) }
        var afterDot = true
        var bits: UInt8 = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte.isAtomText || byte >= 0x80 {
                afterDot = false
                bits |= byte
            } else if byte == UInt8(ascii: ".") {
                guard !afterDot else { return .failure(.dots) }
                afterDot = true
            } else if byte == UInt8(ascii: "@") {
                guard index == 0 || !afterDot else { return .failure(.dots) }
                if bits >= 0x80 { isForeign = true }
                return .success(index)
            } else {
                return .failure(fault(of: byte, in: bytes))
            }
            index += 1
        }
        return .failure(.noAt)
    }

    /// RFC 5321 section 4.1.2: Quoted-string.
    private static func quotedLocalPart(
        _ bytes: UnsafeBufferPointer<UInt8>, _ isForeign: inout Bool
    ) -> Result<Int, EmailAddressError> {
        var index = 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                guard index + 1 < bytes.count else { return .failure(.noAt) }
                guard bytes[index + 1] == UInt8(ascii: "@") else { return .failure(fault(of: bytes[index], in: bytes)) }
                return .success(index + 1)
            case UInt8(ascii: "\\"):
                guard index + 1 < bytes.count, 0x20...0x7e ~= bytes[index + 1] else { return .failure(.misplacedQuote) }
                index += 2
            case 0..<0x20, 0x7f: return .failure(.control)
            case 0x80...:
                isForeign = true
                index += 1
            default: index += 1
            }
        }
        return .failure(.misplacedQuote)
    }

    /// A local part without needless quotation marks and backslashes; empty for an empty one.
    private static func simplestForm(ofQuoted content: Slice<UnsafeBufferPointer<UInt8>>) -> [UInt8] {
        var text: [UInt8] = []
        var isEscaped = false
        for byte in content {
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
            if !isEscaped { text.append(byte) }
        }
        let atoms = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if text.isEmpty || atoms.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isAtomText || $0 >= 0x80 } }) { return text }
        let quote = [UInt8(ascii: "\"")]
        return quote + text.flatMap { "\"\\".utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] } + quote
    }

    /// An address with a quoted local part in its simplest form; nil where it has that already, and for what is none.
    private static func withoutNeedlessQuotes(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var isForeign = false
        guard case .success(let at) = quotedLocalPart(bytes, &isForeign) else { return nil }
        let local = simplestForm(ofQuoted: bytes[1..<(at - 1)])
        return local.isEmpty || local.count == at ? nil : local + bytes[at...]
    }

    /// Checks the labels of a domain (RFC 1123 section 2.1), as far as they are ASCII.
    static func domain(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, _ isForeign: inout Bool
    ) -> EmailAddressError? {
        var labelStart = start
        var isNumber = true
        var bits: UInt8 = 0
        for index in start...bytes.count {
            if index == bytes.count || bytes[index] == UInt8(ascii: ".") {
                guard index > labelStart else { return .dots }
                guard bytes[index - 1] != UInt8(ascii: "-") else { return .hyphen }
                guard index - labelStart <= 63 || bits >= 0x80 else { return .longLabel }
                if let fault = InternationalDomain.fault(ofLabel: bytes[labelStart..<index]) { return EmailAddressError(fault) }
                if index == bytes.count { break }
                labelStart = index + 1
                isNumber = true
                continue
            }
            let byte = bytes[index]
            switch byte {
            case _ where byte.isLetter: isNumber = false
            case _ where byte.isDigit: break
            case UInt8(ascii: "-"):
                guard index > labelStart else { return .hyphen }
                isNumber = false
            case 0x80...:
                bits |= byte
                isNumber = false
            case UInt8(ascii: "@"): return .twoAt
            default: return fault(of: byte, in: bytes)
            }
        }
        // Beyond ASCII there are other full stops too; the rest is checked when the domain is in ASCII.
        if bits >= 0x80 {
            isForeign = true
            return nil
        }
        guard labelStart > start else { return .noDot }
        guard !isNumber else { return .numericDomain }
        guard bytes.count - start <= 255 else { return .longDomain }
        return nil
    }

    /// RFC 5321 section 4.1.3: `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
    private static func literal(_ bytes: UnsafeBufferPointer<UInt8>) -> EmailAddressError? {
        guard bytes[bytes.count - 1] == UInt8(ascii: "]") else { return .badLiteral }
        let inner = bytes[1..<(bytes.count - 1)]
        let prefix = "IPv6:".utf8
        if inner.count > prefix.count, ASCII.equalIgnoringCase(inner.prefix(prefix.count), prefix) {
            return IPAddress.isVersion6(inner.dropFirst(prefix.count)) ? nil : .badLiteral
        }
        return IPAddress.isVersion4(inner) ? nil : .badLiteral
    }

    /// The most telling error for a byte that stands where it must not.
    private static func fault(of byte: UInt8, in bytes: UnsafeBufferPointer<UInt8>) -> EmailAddressError {
        if bytes.contains(UInt8(ascii: "<")) || bytes.contains(UInt8(ascii: ">")) { return .displayName }
        switch byte {
        case 0x20: return .space
        case 0..<0x20, 0x7f: return .control
        case UInt8(ascii: "("), UInt8(ascii: ")"): return .comment
        case UInt8(ascii: ","), UInt8(ascii: ";"): return .several
        case UInt8(ascii: "\""): return .misplacedQuote
        default: return .badCharacter(Unicode.Scalar(byte))
        }
    }
}
