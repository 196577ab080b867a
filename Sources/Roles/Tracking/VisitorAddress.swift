package import Model
package import Text

/// The address of a visitor. Behind proxies it is what they say of it, as far as they are trusted: a stranger's `X-Forwarded-For` says
/// nothing.
package struct VisitorAddress: Sendable, Equatable {
    /// As `IPAddress.number` has it.
    package let number: UInt128

    /// Proxies in a row at most.
    private static let mostProxies = 16

    /// Nil where the connection has no IP address.
    /// - Parameters:
    ///   - peer: who made the connection.
    ///   - forwarded: the values of `X-Forwarded-For`, in order. Each proxy adds at the end whom it was asked by.
    package init?(peer: String?, forwarded: [String] = [], trusted: [IPNetwork] = []) {
        guard var number = peer.flatMap(Self.number) else { return nil }
        var names = forwarded.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.suffix(Self.mostProxies)
        while trusted.contains(where: { $0.contains(number) }), let name = names.popLast(), let next = Self.number(name) { number = next }
        self.number = number
    }

    /// Reads an address; some proxies add the port to it.
    private static func number(_ text: some StringProtocol) -> UInt128? {
        var bytes = Array(text.utf8)[...]
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        if bytes.first == UInt8(ascii: "[") {
            bytes = bytes.dropFirst().prefix { $0 != UInt8(ascii: "]") }
        } else if bytes.count(where: { $0 == UInt8(ascii: ":") }) == 1 {
            bytes = bytes.prefix { $0 != UInt8(ascii: ":") }
        }
        return IPAddress.number(Array(bytes))
    }

    /// Its 16 bytes, in network order.
    package var bytes: [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: number >> (120 - 8 * UInt128($0))) } }

    private var isVersion4: Bool { number >> 32 == 0xffff }

    /// What is kept of it as text; empty for nothing.
    package func text(_ keeping: AddressKeeping) -> String {
        switch keeping {
        case .none: ""
        case .truncated: Self.text(isVersion4 ? number & ~0xff : number & ~(UInt128.max >> 48), isVersion4: isVersion4)
        case .full: Self.text(number, isVersion4: isVersion4)
        }
    }

    private static func text(_ number: UInt128, isVersion4: Bool) -> String {
        if isVersion4 {
            return [24, 16, 8, 0].map { String(UInt8(truncatingIfNeeded: number >> UInt128($0))) }.joined(separator: ".")
        }
        let groups = (0..<8).map { String(UInt16(truncatingIfNeeded: number >> (112 - 16 * UInt128($0))), radix: 16) }
        return IPAddress.canonicalVersion6(Array(groups.joined(separator: ":").utf8)) ?? ""
    }
}
