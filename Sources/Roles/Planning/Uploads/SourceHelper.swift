import Ledger
import Logging
import Model
import Policy

/// What a planner that stands by does for the one that leads: it stores recipients in the ledger that the other cannot read.
struct SourceHelper {
    /// How long until a file that could not be read is tried again.
    private static let interval = Duration.seconds(10)
    /// Mailings at a look.
    private static let atOnce = 100

    let ledger: any UploadStore
    /// Names this machine for people.
    let host: String
    /// Names this process.
    let holder: String
    let clocks: Clocks
    let logger: Logger
    private var tried: [MailingID: ContinuousClock.Instant] = [:]

    init(ledger: any UploadStore, host: String, holder: String, clocks: Clocks, logger: Logger) {
        self.ledger = ledger
        self.host = host
        self.holder = holder
        self.clocks = clocks
        self.logger = logger
    }

    /// Helps until it is cancelled.
    func run(every interval: Duration) async {
        var helper = self
        var line = RepeatedLine()
        while !Task.isCancelled {
            do throws(LedgerError) { try await helper.help() } catch {
                if line.add(at: clocks.monotonic) != nil {
                    logger.warning("recipients that another planner cannot read cannot be put into the ledger now: \(error)")
                }
            }
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }

    /// Looks for mailings that wait for their recipients. It ends soon when it is cancelled.
    mutating func help() async throws(LedgerError) {
        let waiting = try await ledger.unreadSources(limit: Self.atOnce)
        let known = Set(waiting.map(\.id))
        tried = tried.filter { known.contains($0.key) }
        for record in waiting {
            if Task.isCancelled { return }
            guard let source = record.source else { continue }
            if let last = tried[record.id], clocks.now - last < Self.interval { continue }
            tried[record.id] = clocks.now
            do {
                let stamp = try FileStamp(path: source.file)
                try record.requireBegun(size: stamp.size, modified: stamp.modified)
                guard try await RecipientStoring(source, in: ledger, by: holder).store(record.id) else { continue }
                logger.notice(
                    "mailing \(record.id): \(source.file), which another planner cannot read, was put into the ledger",
                    metadata: record.fields)
            } catch let error as LedgerError {
                switch error {
                // Somebody else was faster.
                case .refused: break
                // The row of this upload is damaged, which stops no other one.
                case .corrupt: try await ledger.note(SourceFault(host: host, problem: "\(error)"), of: record.id, now: clocks.milliseconds)
                default: throw error
                }
            } catch is CancellationError {
                return
            } catch {
                try await ledger.note(SourceFault(host: host, problem: "\(error)"), of: record.id, now: clocks.milliseconds)
            }
        }
    }
}
