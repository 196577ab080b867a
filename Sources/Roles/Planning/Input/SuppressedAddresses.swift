package import Ledger
package import Model
import Signing

/// Finds the suppressed among a mailing's recipients. The ledger is asked only about those that a filter in memory lets pass; a mailing
/// that is small beside the list asks about all of its recipients instead of loading the filter.
package struct SuppressedAddresses: Sendable {
    private let target: SuppressionTarget
    /// Nil lets everybody pass.
    private let filter: AddressFilter?

    /// Addresses that are read from the ledger at a time.
    private static let page = 20_000
    /// To ask the ledger about a recipient takes as long as to load so many addresses.
    private static let cost = 4
    /// Bytes of a row of a recipients' file, about.
    private static let rowBytes = 40

    /// - Parameters:
    ///   - list: as it was before; nothing is loaded where it is empty.
    ///   - sourceBytes: the size of the recipients' file.
    ///   - isStopping: nothing more is to be loaded, as nobody is planned.
    /// - Returns: nil where nobody is suppressed.
    package static func load(
        _ list: SuppressionList, for target: SuppressionTarget, sourceBytes: Int64, from ledger: any SuppressionStore,
        isStopping: () -> Bool = { false }
    ) async throws(LedgerError) -> SuppressedAddresses? {
        guard list.entries > 0 else { return nil }
        let rows = max(1, Int(clamping: sourceBytes) / rowBytes)
        guard rows.multipliedReportingOverflow(by: cost).partialValue > list.entries else {
            return SuppressedAddresses(target: target, filter: nil)
        }
        var filter = AddressFilter(for: list.entries)
        var last = ""
        var isEmpty = true
        while true {
            // Without a filter the ledger is asked about everybody: nobody is let pass by what was not loaded.
            if isStopping() { return SuppressedAddresses(target: target, filter: nil) }
            let addresses = try await ledger.suppressedAddresses(for: target, after: last, limit: page)
            // What stands for an address that is not kept is in no filter of addresses: the ledger is asked about everybody.
            if addresses.contains(where: AddressHasher.isHash) { return SuppressedAddresses(target: target, filter: nil) }
            for var address in addresses { address.withUTF8 { filter.insert($0) } }
            guard let end = addresses.last else { break }
            isEmpty = false
            last = end
        }
        return isEmpty ? nil : SuppressedAddresses(target: target, filter: filter)
    }

    private init(target: SuppressionTarget, filter: AddressFilter?) {
        self.target = target
        self.filter = filter
    }

    /// Whether the ledger has to be asked about a key.
    @inline(__always) func mayContain(_ key: UnsafeBufferPointer<UInt8>) -> Bool { filter?.mayContain(key) ?? true }

    /// Moves the suppressed recipients of a chunk to its exclusions.
    /// - Parameter now: milliseconds since 1970.
    package func exclude(from chunk: inout PlannedChunk, asking ledger: any SuppressionStore, now: Int64) async throws(LedgerError) {
        guard !chunk.candidates.isEmpty else { return }
        let found = try await ledger.suppressed(chunk.candidates.map(\.key), for: target, now: now)
        chunk.exclude(found)
    }
}
