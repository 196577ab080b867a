/// A network of IP addresses as people write it (RFC 4632 section 3.1, RFC 4291 section 2.3): `192.0.2.0/24`, `2001:db8::/32`, or one
/// address. IPv4 lies in `::ffff:0:0/96`, so that an address is the same whether a socket of IPv4 or of IPv6 took its connection.
package struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    /// The first address, and the last.
    package let first: UInt128
    package let last: UInt128
    /// As it was written.
    package let description: String

    /// Bits behind the length are cleared: `10.1.2.3/8` is `10.0.0.0/8`. Nil for any other text.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress.number(Array($0.utf8)) }) else { return nil }
        let isVersion4 = !parts[0].utf8.contains(UInt8(ascii: ":"))
        let bits = isVersion4 ? 32 : 128
        var length = bits
        if parts.count == 2 {
            guard 1...3 ~= parts[1].utf8.count, parts[1].utf8.allSatisfy(\.isDigit), let number = Int(parts[1]), number <= bits else {
                return nil
            }
            length = number
        }
        let host = bits == length ? 0 : UInt128.max >> UInt128(128 - bits + length)
        first = address & ~host
        last = address | host
        description = String(text)
    }

    package func contains(_ address: UInt128) -> Bool { first <= address && address <= last }
}
