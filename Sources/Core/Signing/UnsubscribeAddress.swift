/// The address that a recipient's mail program writes to in order to unsubscribe (RFC 2369 section 3.2): `unsubscribe+TOKEN@DOMAIN`, whose
/// token is that of the link.
package enum UnsubscribeAddress {
    private static let name = "unsubscribe"

    /// Appends the address of one recipient.
    /// - Parameter domain: with its `@`.
    package static func append(_ subject: TokenSubject, domain: [UInt8], keys: SigningKeys, to out: inout [UInt8]) {
        out += name.utf8
        out.append(UInt8(ascii: "+"))
        keys.appendToken(.unsubscribe, subject, to: &out)
        out += domain
    }

    /// Whose address it is; nil for one that is none, or that we did not sign. Servers may change the case of the name, and no sign behind
    /// it.
    package static func subject(of address: String, keys: SigningKeys) -> TokenSubject? {
        let local = address[..<(address.lastIndex(of: "@") ?? address.endIndex)]
        guard let plus = local.firstIndex(of: "+"), local[..<plus].lowercased() == name else { return nil }
        return try? keys.verify(Array(local[local.index(after: plus)...].utf8), for: .unsubscribe)
    }
}
