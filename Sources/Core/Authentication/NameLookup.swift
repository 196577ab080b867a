import Text

/// The kinds of records that are asked for, by their numbers (RFC 1035 section 3.2.2, RFC 3596).
package enum RecordKind: Int32, Sendable, Hashable {
    case address4 = 1
    case alias = 5
    case pointer = 12
    case mailExchanger = 15
    case text = 16
    case address6 = 28
}

/// What DNS says of a name. It comes from strangers: whoever shows it escapes controls.
package enum NameAnswer: Sendable, Equatable {
    /// At least one: addresses and names as text, names in lower case without the last dot, mail exchangers as `10 mx.example.com`, texts
    /// joined.
    case records([String])
    /// There is no such name, or none of this kind at it.
    case none
    /// Nobody answered in time, or the answer is an error; a sentence's end for people.
    case failed(String)

    package var records: [String] {
        if case .records(let records) = self { records } else { [] }
    }
}

/// Asks DNS. An implementation bounds the time of each question, and how many records and bytes it returns.
package protocol NameLookup: Sendable {
    func answer(_ name: String, _ kind: RecordKind) async -> NameAnswer
}

extension NameLookup {
    /// The addresses of a name of both kinds.
    package func addresses(_ name: String) async -> NameAnswer {
        async let four = answer(name, .address4)
        async let six = answer(name, .address6)
        let answers = await [four, six]
        let records = answers.flatMap(\.records)
        if !records.isEmpty { return .records(records) }
        return answers.first { $0 != .none } ?? .none
    }
}

/// An address that sends, in the forms that DNS has for it.
package struct SenderAddress: Sendable, Equatable {
    package let text: String
    let number: UInt128
    package let isVersion4: Bool

    /// - Returns: nil for what is no single address.
    package init?(_ text: String) {
        guard let network = IPNetwork(text), network.first == network.last else { return nil }
        // ::ffff:192.0.2.1 is an address of IPv4 (RFC 4291 section 2.5.5.2).
        isVersion4 = network.first >> 32 == 0xffff
        number = network.first
        self.text = text.split(separator: "/").first.map(String.init) ?? text
    }

    /// The bytes of the address: 4 or 16.
    private var bytes: [UInt8] {
        let count = isVersion4 ? 4 : 16
        return (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt128(8 * (count - 1 - $0))) }
    }

    /// Labels in the order of DNS, as SPF's macro `i` has them: numbers of IPv4, hexadecimal digits of IPv6 (RFC 7208 section 7.3).
    package var labels: [String] {
        isVersion4 ? bytes.map { String($0) } : bytes.flatMap { [String($0 >> 4, radix: 16), String($0 & 15, radix: 16)] }
    }

    /// Where its pointer stands (RFC 1035 section 3.5, RFC 3596 section 2.5).
    package var pointerName: String { labels.reversed().joined(separator: ".") + (isVersion4 ? ".in-addr.arpa" : ".ip6.arpa") }

    /// Whether a text is the same address, however it is written.
    package func isSame(_ text: String) -> Bool { isIn(text, bits: nil) }

    /// Whether it lies in a network, `192.0.2.0` with 24 bits. Networks of the other version do not hold it.
    package func isIn(_ network: String, bits: Int?) -> Bool {
        guard let other = IPNetwork(network), (other.first >> 32 == 0xffff) == isVersion4 else { return false }
        let size = isVersion4 ? 32 : 128
        let free = size - min(max(bits ?? size, 0), size)
        return free == 128 || (other.first >> UInt128(free)) == (number >> UInt128(free))
    }
}
