package import Broker
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle
import Synchronization

/// Brings receipts to Redis. What Redis does not take is on disk before the provider is answered, and is sent from there in order once
/// Redis takes it again: a receipt that the provider was told is taken outlives the end of the process.
package final class ReceiptSender: Service {
    private let streams: ReceiptStreams
    /// Held while receipts may be written to it.
    private let folder: SpoolFolder
    private let spool: Mutex<EventSpool>
    private let line = Mutex(RepeatedLine())
    private let clocks: Clocks
    private let logger: Logger
    /// Notified when there is something in the spool.
    private let spooled = WakeSignal()
    private let spoolBytes = Gauge(label: "flotilla_tracker_receipts_spool_bytes")
    private let lost = Counter(label: "flotilla_tracker_receipts_dropped_total")

    /// - Parameter limit: bytes of the spool at most.
    package init(_ streams: ReceiptStreams, folder: SpoolFolder, limit: Int, clocks: Clocks = .system, logger: Logger) {
        (self.streams, self.folder, self.clocks, self.logger) = (streams, folder, clocks, logger)
        let spool = EventSpool(folder: folder.path, name: "receipts", limit: limit)
        let bytes = spool.bytes
        self.spool = Mutex(spool)
        spoolBytes.record(bytes)
    }

    /// Keeps receipts, all or none.
    /// - Returns: whether Redis or the spool has them.
    package func keep(_ receipts: [ProviderReceipt]) async -> Bool {
        guard !receipts.isEmpty else { return true }
        let batches = stride(from: 0, to: receipts.count, by: ReceiptBatch.most).map { start in
            ReceiptBatch(Array(receipts[start..<min(start + ReceiptBatch.most, receipts.count)])).encoded()
        }
        if spool.withLock({ $0.isEmpty }), await append(batches) { return true }
        let bytes = spool.withLock { spool in spool.append(batches) ? spool.bytes : nil }
        guard let bytes else { return false }
        spoolBytes.record(bytes)
        spooled.notify()
        return true
    }

    /// Sends what is in the spool until graceful shutdown. What is left then is there for the next tracker of the folder.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.replay() }
        spool.withLock { $0.end() }
        await streams.close()
    }

    private func replay() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            guard let file = spool.withLock({ $0.oldest() }) else {
                await spooled.wait(atMost: nil)
                continue
            }
            if await send(file.path) {
                let bytes = spool.withLock { spool in
                    spool.removeOldest()
                    return spool.bytes
                }
                spoolBytes.record(bytes)
                backoff = Backoff()
            } else {
                _ = await backoff.wait()
            }
        }
    }

    /// Sends a file of the spool. One that cannot be read stays.
    private func send(_ path: String) async -> Bool {
        let contents: SpoolContents
        do throws(UnreadableSpool) { contents = try SpoolContents(of: path) } catch {
            say("\(error)")
            return false
        }
        for batch in contents.batches { guard await append([batch]) else { return false } }
        if !contents.isWhole {
            lost.increment(by: contents.lostEvents)
            logger.error("\(path) was damaged: what was whole in it is sent, and \(contents.lostEvents) receipts at least are lost")
        }
        return true
    }

    private func append(_ batches: [[UInt8]]) async -> Bool {
        do throws(RedisError) {
            if try await streams.append(batches, to: 0) { return true }
            say("the receipts stream is full: does a collector run?")
        } catch { say("\(error)") }
        return false
    }

    private func say(_ problem: String) {
        guard let count = line.withLock({ $0.add(at: clocks.monotonic) }) else { return }
        logger.warning("receipts of providers wait here: \(problem)\(RepeatedLine.text(count))")
    }
}
