import Foundation

/// The name by which a machine is known to mail servers.
package enum HostName {
    /// This machine's name when it has a domain, otherwise `localhost.localdomain`: an EHLO with a bare name is refused
    /// by many servers (RFC 5321, section 4.1.4, asks for a domain). Never asks DNS.
    package static let machine: String = {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return choose(from: "") }
        return choose(from: String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }()

    static func choose(from name: String) -> String {
        let name = name.hasSuffix(".") ? String(name.dropLast()) : name
        return name.contains(".") && isDomain(name) ? name : "localhost.localdomain"
    }

    /// A domain name (RFC 1123, section 2.1) or an address literal (RFC 5321, section 4.1.3).
    static func isValid(_ text: String) -> Bool {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return isDomain(text) }
        let inner = text.dropFirst().dropLast()
        return !inner.isEmpty && inner.utf8.allSatisfy { $0.isLetterOrDigit || ".:-".utf8.contains($0) }
    }

    /// A domain in small letters with a dot in it, or `*.` and a domain.
    static func isPattern(_ text: String) -> Bool {
        let domain = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        return isDomain(String(domain)) && !domain.utf8.contains { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 }
            && (domain.count < text.count || domain.contains("."))
    }

    private static func isDomain(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
        }
    }
}
