import Broker
import Foundation
import Ledger
import Logging
import Model
import Settings
import Telemetry
import Text

/// What speaks against a new ledger where a path or a URL leads to none, as a mistyped one does: who had what is in the ledger that was
/// meant, and a new one sends to everybody again.
struct NewLedger {
    /// Files of a folder that are looked at.
    private static let mostFiles = 2000
    /// Ledgers that are named.
    private static let mostNamed = 3

    private let settings: Settings
    /// Files of the command, in whose folders the ledger that is meant may lie.
    private let files: [String]
    /// The mailing that is to be sent, unless everybody is to get it again.
    private let mailing: MailingIdentity?

    init(_ settings: Settings, near files: [String] = [], sending mailing: MailingIdentity? = nil) {
        self.settings = settings
        self.files = files
        self.mailing = mailing
    }

    /// Refuses to make a ledger where another is expected: the settings name one that is there, one of nearly the same name knows the
    /// mailing, or the Redis of the fleet holds the mailings of one. To be called before anything is written.
    /// - Parameter isPatient: a server that cannot be reached is no error: the caller waits for it, and asks again then.
    /// - Throws: `LedgerError.refused`, `unreachable`.
    func requireWanted(isPatient: Bool = false) async throws(LedgerError) {
        do throws(LedgerError) {
            guard try Self.isMissing(settings.ledger.place) else { return }
        } catch {
            if isPatient, case .unreachable = error { return }
            throw error
        }
        let (path, option) = (settings.ledger.name, settings.ledger.hint)
        let way = "`flotilla ledger init\(option)` begins with a new one, which knows nothing of what was sent before"
        if let named = settings.ledger.replaced, try !Self.isMissing(named) {
            let other = named.name
            throw .refused("there is no ledger at \(path), and the settings name one that is there, \(other): leave --ledger out. \(way)")
        }
        guard let other = await ofRedis() else {
            if settings.ledger.place.file != nil { try requireUnknown(path, way) }
            return OpenLedgers.noteMissing(path)
        }
        let found = Self.near(path, files).first { LedgerBackup.identity(of: $0) == other }
        let which = found.map(LogText.line) ?? "of the identity \(other), which lies in none of the folders that were looked at"
        throw .refused(
            """
            there is no ledger at \(path), and the Redis of the fleet holds the mailings of one (\(which)): name that one by --ledger, \
            ledger.path, ledger.url or their environment variables. \(way)
            """)
    }

    /// Refuses a new ledger where one that the person may have meant knows the mailing, and warns where another one does.
    private func requireUnknown(_ path: String, _ way: String) throws(LedgerError) {
        guard let mailing else { return }
        for file in Self.near(path, files) {
            guard let id = LedgerBackup.lastMailing(of: mailing, in: file) else { continue }
            let known = "\(LogText.line(file)) knows this mailing (\(id))"
            guard Self.isSlip(path, for: file) else {
                Self.say("\(known), and the new ledger \(path) does not: everybody gets it", Logger(label: "flotilla"))
                continue
            }
            throw .refused(
                """
                there is no ledger at \(path), and \(known): a new ledger would send it to everybody. Name that one by --ledger; --again \
                sends to everybody all the same. \(way)
                """)
        }
    }

    /// Whether the path of a ledger was perhaps mistyped for another's: the same name in another folder, or a name that differs by a few
    /// letters. Names that differ in their digits, and those of fewer than four letters, are taken for meant.
    static func isSlip(_ path: String, for other: String) -> Bool {
        func stem(_ path: String) -> String { URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent.lowercased() }
        let (given, known) = (stem(path), stem(other))
        if given == known { return true }
        guard given.filter(\.isNumber) == known.filter(\.isNumber), min(given.count, known.count) >= 4 else { return false }
        return NearestName.of(given, among: [known]) != nil
    }

    /// A database that does not exist, or refuses us, is an error wherever it is opened, and nothing is made there.
    private static func isMissing(_ place: LedgerPlace) throws(LedgerError) -> Bool {
        switch place {
        case .file(let path): return SQLiteLedger.isMissing(path)
        case .postgreSQL(let url):
            do throws(LedgerError) { return try SQLLedger.isMissing(PostgreSQLAddress(url)) } catch {
                if case .unreachable = error { throw error }
                return false
            }
        }
    }

    /// The identity of the ledger whose mailings the fleet's Redis holds; nil where it holds none, does not answer, or is not named.
    private func ofRedis() async -> String? {
        guard RedisEndpoint(settings.redis) != nil, let broker = Broker(orders: settings) else { return nil }
        let found = try? await EpochStore(broker).ledger()
        await broker.close()
        return found
    }

    /// Tells the person at a terminal, whatever is logged, and else the log.
    static func say(_ words: String, _ logger: Logger) {
        if isatty(STDERR_FILENO) != 0 { StandardError.warn(words) } else { logger.warning("\(words)") }
    }

    /// What is said of a ledger that was made.
    static func words(_ path: String, near files: [String]) -> String {
        let near = near(path, files).map(LogText.line)
        let seen = near.isEmpty ? "" : "; earlier ledgers seen: \(Plural.list(near, atMost: mostNamed))"
        return "a new ledger was made: \(LogText.line(path)). It knows nothing of what was sent before\(seen)"
    }

    /// Ledgers in the folder of a path, in those of some files and in the working directory, the newest first.
    private static func near(_ path: String, _ files: [String]) -> [String] {
        let real = RealPath.of(path)
        func folder(of file: String) -> String { URL(fileURLWithPath: RealPath.of(file)).deletingLastPathComponent().path }
        let folders = Set(([path] + files).map(folder) + [RealPath.of(".")])
        var found: [(path: String, modified: Int64)] = []
        for folder in folders {
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).prefix(mostFiles)
            for name in names {
                let file = folder + "/" + name
                guard file != real, SQLiteLedger.isLedger(file), let status = FileStatus(path: file) else { continue }
                found.append((file, status.modified))
            }
        }
        return found.sorted { $0.modified > $1.modified }.map(\.path)
    }
}
