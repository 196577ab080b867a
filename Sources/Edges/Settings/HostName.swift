import Foundation
import Text

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
        return name.contains(".") && DomainName.isValid(name) ? name : "localhost.localdomain"
    }

    /// A domain in small letters with a dot in it, or `*.` and a domain.
    static func isPattern(_ text: String) -> Bool {
        let domain = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        return DomainName.isValid(domain) && !domain.utf8.contains { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 }
            && (domain.count < text.count || domain.contains("."))
    }
}
