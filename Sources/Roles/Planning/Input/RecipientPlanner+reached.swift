import Ledger
import Model

extension RecipientPlanner {
    /// Batches that are read from the ledger at a time: some megabytes.
    private static let page = 20

    /// Excludes those whom the earlier mailings of a mailing's identity have reached; before the first row is planned.
    /// - Parameter isStopping: some may be missing, as no row is planned any more.
    mutating func excludeReached(
        before id: MailingID, in ledger: any RepeatStore & MailingStore, isStopping: () -> Bool
    ) async throws(LedgerError) {
        let mailings = try await ledger.earlier(than: id)
        var count = 0
        // One that cannot be read has no count: its recipients take the room of others.
        for earlier in mailings { count += (try? await ledger.mailing(earlier))?.plannedCount ?? 0 }
        addresses.expectReached(count)
        for earlier in mailings {
            var (after, pages): (Int, [ReachedBatch]) = (-1, [])
            repeat {
                // Two pages are read while the two before them are put in: batches are numbered one after another.
                let last = after
                async let first = Self.read(earlier, after: last, in: ledger)
                async let second = Self.read(earlier, after: last + Self.page, in: ledger)
                for batch in pages { excludeReached(batch) }
                pages = try await first.get()
                pages += try await second.get()
                after += 2 * Self.page
            } while !pages.isEmpty && !isStopping()
        }
    }

    private static func read(
        _ id: MailingID, after: Int, in ledger: any RepeatStore
    ) async -> Result<[ReachedBatch], LedgerError> {
        do throws(LedgerError) { return .success(try await ledger.reached(by: id, after: after, limit: page)) } catch {
            return .failure(error)
        }
    }

    private mutating func excludeReached(_ batch: ReachedBatch) {
        var keys: [UInt8] = []
        var ends: [Int] = []
        keys.reserveCapacity(batch.recipients.bytes.count)
        ends.reserveCapacity(batch.places.count)
        batch.recipients.bytes.withUnsafeBufferPointer { bytes in
            for place in batch.places {
                AddressKey.append(of: UnsafeBufferPointer(rebasing: bytes[batch.recipients.range(place, 1)]), batch.channel, to: &keys)
                ends.append(keys.count)
            }
        }
        addresses.insertReached(keys, ends: ends)
    }
}
