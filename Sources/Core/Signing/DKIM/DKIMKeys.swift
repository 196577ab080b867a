/// The keys of all domains that a worker sends for.
package struct DKIMKeys: Sendable {
    /// By domain; of each algorithm one key signs, that with the last selector.
    private let signers: [String: DKIMSigner]

    package init(_ keys: [DKIMKey]) {
        signers = Dictionary(grouping: keys, by: \.domain).mapValues { keys in
            let last = DKIMKey.Algorithm.allCases.compactMap { algorithm in
                keys.filter { $0.algorithm == algorithm }.max { $0.selector < $1.selector }
            }
            return DKIMSigner(last)
        }
    }

    /// What signs for a sender's domain: the keys of the domain itself, or else of the nearest domain above it, which are aligned with it
    /// in relaxed mode (RFC 9989; RFC 7489 section 3.1.1).
    package func signer(for domain: String) -> (any MessageSigner)? {
        var labels = domain.lowercased().split(separator: ".")
        while labels.count >= 2 {
            if let signer = signers[labels.joined(separator: ".")] { return signer }
            labels.removeFirst()
        }
        return nil
    }
}
