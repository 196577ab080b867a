package import Ledger
package import Model

/// The addresses that earlier mailings have reached, by `AddressKey`. Its memory is that of a `DuplicateSet`.
package struct ReachedAddresses: Sendable {
    private var keys: DuplicateSet

    init() {
        var generator = SystemRandomNumberGenerator()
        keys = DuplicateSet(using: &generator)
    }

    /// Batches that are read from the ledger at a time: some megabytes.
    private static let page = 20

    /// Reads whom the earlier mailings of a mailing's identity have reached; nil for nobody.
    package static func load(before id: MailingID, from ledger: any RepeatStore) async throws(LedgerError) -> ReachedAddresses? {
        var addresses = ReachedAddresses()
        for earlier in try await ledger.earlier(than: id) {
            var last = -1
            while true {
                let batches = try await ledger.reached(by: earlier, after: last, limit: page)
                guard let end = batches.last else { break }
                for batch in batches { addresses.insert(batch) }
                last = end.number
            }
        }
        return addresses.keys.count > 0 ? addresses : nil
    }

    private mutating func insert(_ batch: ReachedBatch) {
        var key: [UInt8] = []
        batch.recipients.bytes.withUnsafeBufferPointer { bytes in
            for place in batch.places {
                key.removeAll(keepingCapacity: true)
                AddressKey.append(of: UnsafeBufferPointer(rebasing: bytes[batch.recipients.range(place, 1)]), batch.channel, to: &key)
                key.withUnsafeBufferPointer { _ = keys.insert($0) }
            }
        }
    }

    func contains(_ key: UnsafeBufferPointer<UInt8>) -> Bool { keys.contains(key) }
}
