import Broker
import Logging
import Model
import NIOPosix
import TestServers
import Testing

@testable import Delivery

/// What a worker asks again and again of its batches, of which it may have thousands.
@Suite struct InFlightBatchesTests {
    private let worker: WorkerContext
    private var batches: InFlightBatches { worker.inFlight }

    init() {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: "/nowhere")), prefix: "test", partitions: 1, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: logger)
        worker = WorkerContext(configuration: WorkerConfiguration(id: "a", hostname: "localhost"), broker: broker, logger: logger)
    }

    private func batch(_ entry: Int, epoch: String = "e", isNew: Bool = true, expires: Int64 = .max) -> InFlightBatch {
        var generator = SystemRandomNumberGenerator()
        let id = BatchID(mailing: MailingID(milliseconds: 1, using: &generator), number: entry)
        let lease = BatchLease(
            batch: DispatchedBatch(
                id: id, dispatchNumber: 1, recipients: [], count: 1, open: nil, expires: expires, dispatched: 1),
            lane: Lane(channel: .email, provider: "p\(entry)"), entry: "\(entry)-0", holder: .init(worker: "a", deliveries: 1),
            isNew: isNew, epoch: Epoch(text: epoch))
        return InFlightBatch(lease, buffer: ResultBuffer(lease: lease, worker: worker))
    }

    @Test func theirEpochsAreKnownWithoutALookAtEach() {
        var inserted: [InFlightBatch] = []
        for entry in 0..<1000 {
            let one = batch(entry, epoch: entry < 10 ? "old" : "new")
            batches.insert(one)
            inserted.append(one)
        }
        #expect(batches.count == 1000 && Set(batches.epochs.map(\.text)) == ["old", "new"])
        for one in inserted[..<9] { batches.remove(one) }
        #expect(batches.epochs.count == 2)
        // A later delivery of the same entry takes the place of the first one.
        let again = batch(9, epoch: "new")
        batches.insert(again)
        #expect(batches.epochs.map(\.text) == ["new"])
        batches.remove(inserted[9])
        #expect(batches.count == 991)
        for one in inserted[10...] + [again] { batches.remove(one) }
        #expect(batches.count == 0 && batches.epochs.isEmpty)
    }

    @Test func oneWhoseMarksAreNotReadIsKnownUntilTheyAre() {
        batches.insert(batch(0))
        #expect(!batches.hasUnread)
        let (first, second) = (batch(1, isNew: false), batch(2, isNew: false))
        batches.insert(first)
        batches.insert(second)
        first.understand()
        #expect(batches.hasUnread)
        batches.remove(second)
        #expect(!batches.hasUnread)
    }

    @Test func theEndOfALifetimeIsToldOnce() {
        for (entry, expires) in [(0, 300), (1, 100), (2, 200)] as [(Int, Int64)] { batches.insert(batch(entry, expires: expires)) }
        #expect(!batches.noteExpired(at: 99))
        #expect(batches.noteExpired(at: 100) && !batches.noteExpired(at: 199))
        #expect(batches.noteExpired(at: 250) && !batches.noteExpired(at: 299))
        #expect(batches.noteExpired(at: 300) && !batches.noteExpired(at: .max - 1))
        batches.insert(batch(4, expires: 400))
        #expect(!batches.noteExpired(at: 399) && batches.noteExpired(at: 400))
    }
}
