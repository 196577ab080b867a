import Authentication
import Broker
import Dispatch
import Foundation
import Ledger
import Logging
import Model
import NIOPosix
import Settings
import Signing
import Telemetry
import Text

/// Whether a machine can run the roles as they are configured. Nothing is written.
struct MachineChecks: Sendable {
    let settings: Settings
    let redis: RedisEndpoint?
    let timeout: Duration
    let clocks: Clocks

    /// A file of a ledger is read as a whole up to this size.
    private static let quicklyRead: Int64 = 1 << 30
    private static let leastFree: Int64 = 1 << 30

    /// - Parameter redis: nil where `flotilla send` and `up` start one of their own.
    init(settings: Settings, redis: RedisEndpoint?, timeout: Duration, clocks: Clocks) {
        self.settings = settings
        self.redis = redis
        self.timeout = timeout
        self.clocks = clocks
    }

    var all: [Check] {
        [
            Check { configuration() }, Check { await fleetRedis() }, Check { await ledger() }, Check { openFiles() },
            Check { await Self.blocking { keys() } },
        ]
    }

    /// Work that waits for a disk or a server, on a thread of its own.
    private static func blocking(_ body: @escaping @Sendable () -> [Finding]) async -> [Finding] {
        await withCheckedContinuation { continuation in DispatchQueue.global().async { continuation.resume(returning: body()) } }
    }

    func configuration() -> [Finding] {
        let warnings = settings.warnings.map {
            Finding.warning("configuration", $0, why: "it works today", do: "change it as docs/configuration.md says")
        }
        let count = settings.differences.count
        return warnings.isEmpty ? [.ok("configuration", "\(counted(count, "setting")) differ from the defaults")] : warnings
    }

    func openFiles() -> [Finding] {
        let limit = OpenFiles.limit
        let needed = OpenFiles.reserve + settings.providers.values.reduce(0) { $0 + $1.connections }
        guard limit < needed else { return [.ok("open files", "\(limit) are allowed, and a worker needs some \(needed)")] }
        let (why, advice) = ("workers open fewer connections than they may", "raise LimitNOFILE or ulimit -n")
        let what = "\(limit) are allowed, and a worker needs some \(needed)"
        return [
            limit < OpenFiles.least
                ? .fault("open files", what, why: "no role starts", do: advice) : .warning("open files", what, why: why, do: advice)
        ]
    }

    func keys() -> [Finding] {
        guard let path = settings.email.dkim else {
            return [
                .warning(
                    "DKIM", "email.dkim is not set", why: "nothing is signed here", do: "flotilla dkim generate, or let the provider sign")
            ]
        }
        do throws(DKIMFolderError) {
            let folder = try DKIMFolder(reading: path)
            let warnings = folder.warnings.map {
                Finding.warning("DKIM", $0, why: "signatures may be forged or refused", do: "see the text")
            }
            return warnings.isEmpty ? [.ok("DKIM", "\(path) has \(counted(folder.keys.count, "key"))")] : warnings
        } catch { return [.fault("DKIM", "\(error)", why: "workers do not start", do: "correct the folder, or email.dkim")] }
    }

    // MARK: - Redis

    func fleetRedis() async -> [Finding] {
        guard var endpoint = redis else { return [.ok("Redis", "none is set: flotilla send and up start one of their own")] }
        endpoint.timeout = min(endpoint.timeout, timeout)
        let client = RedisClient(
            endpoint: endpoint, name: "flotilla-doctor", group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "flotilla") { _ in SwiftLogNoOpLogHandler() })
        let begin = clocks.milliseconds
        let findings: [Finding]
        do throws(RedisError) {
            let replies = try await client.pipeline([["INFO", "server"], ["INFO", "memory"], ["INFO", "persistence"], ["TIME"]])
            let middle = begin + (clocks.milliseconds - begin) / 2
            let texts = replies.prefix(3).map { $0.text ?? "" }.joined(separator: "\n")
            findings = RedisFacts(texts, difference: replies.last?.time.map { $0 / 1000 - middle }).findings(at: "\(endpoint)")
        } catch {
            findings = [.fault("Redis", "\(error)", why: "no role works without it", do: "start Redis, or correct redis.url")]
        }
        await client.close()
        return findings
    }

    // MARK: - Ledger

    func ledger() async -> [Finding] {
        switch settings.ledger.place {
        case .file(let path): await Self.blocking { file(path) }
        case .postgreSQL(let url): await Self.blocking { [timeout] in Self.server(url, timeout) }
        }
    }

    private func file(_ path: String) -> [Finding] {
        let status = FileStatus(path: path)
        guard let status else { return [.ok("ledger", "\(path) is not there yet; the first mailing makes it")] + free(path) }
        guard status.size <= Self.quicklyRead else {
            return [.ok("ledger", "\(path) is large, and was not read: flotilla ledger check does")] + free(path)
        }
        do throws(LedgerError) {
            let found = try SQLiteLedger.glance(path)
            let faults = found.faults.map {
                Finding.fault("ledger", $0.text, why: "it is the only record of what was sent", do: "flotilla ledger check, docs/backup.md")
            }
            return (faults.isEmpty ? [.ok("ledger", "\(path): SQLite, version \(found.version), its pages are whole")] : faults)
                + free(path)
        } catch { return [.fault("ledger", "\(error)", why: "nothing can be planned", do: "see docs/ledger.md")] }
    }

    private func free(_ path: String) -> [Finding] {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard let bytes = (try? FileManager.default.attributesOfFileSystem(forPath: folder)[.systemFreeSize] as? NSNumber)?.int64Value
        else {
            return [.fault("disk", "\(folder) cannot be looked at", why: "the ledger cannot be written there", do: "make the folder")]
        }
        let what = "\(bytes >> 20) MB are free in \(folder)"
        guard bytes < Self.leastFree else { return [.ok("disk", what)] }
        return [.warning("disk", what, why: "a million recipients take some 300 MB, and a full disk pauses everything", do: "make room")]
    }

    private static func server(_ url: Secret, _ timeout: Duration) -> [Finding] {
        do throws(LedgerError) {
            let address = try PostgreSQLAddress(url)
            let (made, all) = try SQLLedger.migrations(of: address, within: timeout)
            guard made < all else { return [.ok("ledger", "\(address.name): PostgreSQL, all \(all) migrations are made")] }
            return [
                .warning(
                    "ledger", "\(address.name) has \(made) of \(all) migrations", why: "the next planner makes the others",
                    do: "flotilla ledger migrate")
            ]
        } catch { return [.fault("ledger", "\(error)", why: "nothing can be planned", do: "see docs/ledger.md")] }
    }
}
