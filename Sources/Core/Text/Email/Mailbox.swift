/// A sender or an address for replies as people write it: `Example Shop <news@example.com>`, `"Shop, Example" <…>` or the
/// address alone (RFC 5322 section 3.4, mailbox), without comments and groups.
package struct Mailbox: Sendable, Equatable {
    /// The name without quotation marks; empty where there is none.
    package let displayName: String
    package let address: EmailAddress

    package init(_ text: String) throws(MailboxError) {
        let text = text.trimmed
        guard !text.isEmpty else { throw MailboxError("is empty") }
        guard !text.unicodeScalars.contains(where: Self.endsLine) else {
            throw MailboxError("has a line break or another control character in it")
        }
        do {
            guard text.hasSuffix(">"), let open = text.lastIndex(of: "<") else {
                displayName = ""
                address = try EmailAddress(String(text))
                return
            }
            address = try EmailAddress(String(text[text.index(after: open)...].dropLast()))
            displayName = try Self.phrase(text[..<open].trimmed)
        } catch let fault as EmailAddressError {
            throw MailboxError("has no valid address: \(fault)")
        } catch let fault as MailboxError {
            throw fault
        } catch {
            throw MailboxError("is no mailbox")
        }
    }

    /// A name and an address that are known apart: whatever the name has in it is the name's.
    package init(displayName: String, address: String) throws(MailboxError) {
        for text in [displayName, address] where text.unicodeScalars.contains(where: Self.endsLine) {
            throw MailboxError("has a line break or another control character in it")
        }
        do throws(EmailAddressError) { self.init(displayName: displayName, address: try EmailAddress(String(address.trimmed))) } catch {
            throw MailboxError("has no valid address: \(error)")
        }
    }

    private init(displayName: String, address: EmailAddress) {
        self.displayName = displayName
        self.address = address
    }

    /// This mailbox with an address that any mail server takes; nil where its local part is beyond ASCII.
    package var ascii: Mailbox? {
        guard let text = EmailAddress.asciiForm(of: address.description), let address = try? EmailAddress(text) else { return nil }
        return Mailbox(displayName: displayName, address: address)
    }

    /// RFC 5322 section 3.2.5, read generously: an unquoted phrase may hold dots and anything beyond ASCII.
    private static func phrase(_ text: Substring) throws(MailboxError) -> String {
        guard text.first == "\"" else {
            if let bad = text.first(where: { "\"<>()[]:;,\\@".contains($0) }) {
                throw MailboxError("has '\(bad)' in the name; put the name between quotation marks")
            }
            return String(text)
        }
        var name = ""
        var isEscaped = false
        var isClosed = false
        for character in text.dropFirst() {
            guard !isClosed else { throw MailboxError("has text behind the quoted name") }
            if isEscaped {
                name.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isClosed = true
            } else {
                name.append(character)
            }
        }
        guard isClosed else { throw MailboxError("has no closing quotation mark behind the name") }
        return name
    }

    /// Characters that end a line or a header field for one reader or another.
    private static func endsLine(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

/// A text that is no mailbox; its description goes behind the name of what holds it: "from has no valid address: no @".
package struct MailboxError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
