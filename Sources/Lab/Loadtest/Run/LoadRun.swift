import Broker
import Foundation
import Ledger
import Logging
import Model
import NIOCore
import NIOPosix
import Settings
import Synchronization

/// One run of a scenario: starts what it names, sends, does what the script says, looks once a second, and ends all it started.
actor LoadRun {
    let scenario: Scenario
    let options: LoadTest.Options
    let folder: RunFolder
    let processGuard: ProcessGuard
    /// Reports the state of the run, once a second and whenever something happens.
    let onChange: @Sendable (LiveState) -> Void
    let group: MultiThreadedEventLoopGroup
    let pages: LoopbackHTTPClient
    let prefix: String
    var redis: RedisClient?
    var ledger: SQLiteLedger?
    /// In the order in which they were made.
    var members: [FleetProcess] = []
    var sinkPorts: [String: Int] = [:]
    var tails: [RecordTail] = []
    /// When everything was running: microseconds since 1970, and the same moment on the monotonic clock.
    var origin: Int64 = 0
    var start = ContinuousClock.now
    var arrivals = Arrivals(origin: 0)
    var samples: [RunSample] = []
    var mailings: [MailingFacts] = []
    var progress: [String: MailingProgress] = [:]
    var events: [RunResult.Event] = []
    var notes: [String] = []
    /// Why the run was ended before all was sent; nil where it was not.
    var halt: String?
    var phase = "starting"
    var redisPeak: Int64?
    var seconds = 0.0
    /// How long a member may take to end beyond what its settings give it.
    private static let backoff = 5.0

    init(
        _ scenario: Scenario, options: LoadTest.Options, onChange: @escaping @Sendable (LiveState) -> Void
    ) throws(RunFailure) {
        self.scenario = scenario
        self.options = options
        self.onChange = onChange
        folder = try RunFolder(records: options.records)
        processGuard = try ProcessGuard(removing: folder.path, errors: folder.log("guard"))
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        pages = LoopbackHTTPClient(group: group)
        prefix = "loadtest-\(URL(fileURLWithPath: folder.path).lastPathComponent.suffix(8))"
        if options.keep { processGuard.keepFolder() }
    }

    /// Seconds since everything was running.
    var now: Double { (ContinuousClock.now - start).seconds }

    /// Runs it to its end, and ends everything that was started, whatever happens.
    /// - Throws: `RunFailure`, with the place of the logs; `CancellationError`.
    func run() async throws -> RunOutcome {
        do {
            try await prepare()
            try await drive()
            seconds = now
            phase = "ending"
            await sample()
            await readLedger()
            await endMembers()
            try readRecords()
            let outcome = RunOutcome(self)
            await close(keep: options.keep || !outcome.isWhole)
            return outcome
        } catch {
            phase = "ending"
            await endMembers()
            let isInterrupted = error is CancellationError
            await close(keep: options.keep || !isInterrupted)
            guard !isInterrupted else { throw error }
            throw RunFailure("\(error)\nThe run's files are kept: \(folder.path)")
        }
    }

    // MARK: Start

    private func prepare() async throws {
        try await startRedis()
        for plan in scenario.sinks { try await startSink(plan) }
        try writeConfiguration()
        phase = "making recipients"
        tell()
        try await makeRecipients()
        phase = "starting the fleet"
        tell()
        for (kind, count) in [
            (ProcessKind.collector, scenario.fleet.collectors), (.planner, scenario.fleet.planners),
            (.worker, scenario.fleet.workers),
        ] {
            for _ in 0..<count { try startRole(kind) }
        }
        for name in members.filter({ ProcessKind.roles.contains($0.kind) }).map(\.name) { try await waitForPage(name) }
        ledger = try SQLiteLedger.open(folder.ledger, logger: Self.silence)
        phase = "sending"
        start = .now
        origin = Clock.milliseconds() * 1_000
        arrivals = Arrivals(origin: origin)
        for member in members {
            member.measure(at: 0)
            member.resetCPU()
        }
    }

    // MARK: Run

    /// Sends, follows the script and looks, until all mailings have ended.
    private func drive() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.addMailings() }
            group.addTask { try await self.followScript() }
            group.addTask { try await self.look() }
            group.addTask { try await self.watch() }
            // The three other tasks end by themselves or never; the watch ends the group.
            while (try await group.next()) != nil, !self.isOver {}
            group.cancelAll()
            // The others throw only their cancellation now.
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    private(set) var isOver = false

    /// Ends when nothing more will happen.
    /// - Throws: `RunFailure` when a process ended that nobody had asked to.
    private func watch() async throws {
        var round = 0
        while true {
            try checkMembers()
            if round % 3 == 0 {
                await readProgress()
                if let one = mailings.first(where: { $0.state == .paused || $0.state == .stopped }) {
                    halt = "\(one.name) is \(one.state.rawValue): \(await reason(one.id))"
                    break
                }
                let planned = scenario.mailings.reduce(0) { $0 + $1.copies }
                if mailings.count == planned, mailings.allSatisfy({ $0.ended != nil }) { break }
                if now > scenario.timeout {
                    halt = "not all was sent within \(FigureText.time(scenario.timeout))"
                    break
                }
            }
            round += 1
            try await Task.sleep(for: .milliseconds(100))
        }
        isOver = true
    }

    private func look() async throws {
        while true {
            await sample()
            tell()
            // At the next whole second: samples that a slow one has missed are not taken later.
            try await Task.sleep(for: .seconds(now.rounded(.down) + 1 - now))
        }
    }

    // MARK: End

    /// Ends all processes: senders before receivers, so that nothing is cut off.
    private func endMembers() async {
        for member in members where member.isFrozen { member.process?.signal(SIGCONT) }
        let grace = scenario.fleet.settings.shutdown.grace.seconds + Self.backoff
        for kind in [ProcessKind.worker, .planner, .collector, .sink, .redis] {
            let ending = members.filter { $0.kind == kind && $0.process != nil }
            if kind == .redis { await leaveRedis() }
            for member in ending { ask(member) }
            for member in ending { await waitForEnd(member, within: kind == .redis ? 1 : grace) }
        }
    }

    private func close(keep: Bool) async {
        if keep { processGuard.keepFolder() }
        try? ledger?.close()
        await redis?.close()
        await processGuard.end()
        try? await group.shutdownGracefully()
    }

    /// SIGTERM to one that runs.
    func ask(_ member: FleetProcess) {
        member.isWanted = false
        member.measure(at: now)
        member.process?.signal(SIGTERM)
    }

    /// Waits for one that was asked to end, and kills it when that takes too long.
    func waitForEnd(_ member: FleetProcess, within seconds: Double) async {
        guard let process = member.process else { return }
        let asked = now
        if await !process.end(within: seconds) {
            if member.kind != .redis {
                notes.append("\(member.name) had not ended \(FigureText.time(seconds)) after SIGTERM, and was killed")
            }
            process.signal(SIGKILL)
            _ = await process.end(within: 10)
        }
        guard member.process === process else { return }
        let status = process.ended ?? 0
        if status > 0 {
            notes.append("\(member.name) ended with status \(status) after SIGTERM: \(folder.lastWords(member.name, lines: 1))")
        }
        member.close("asked to at \(FigureText.decimals(asked, 1)) s, \(Self.text(status))")
    }

    static func text(_ status: Int32) -> String { status < 0 ? "signal \(-status)" : "code \(status)" }

    /// A process that ended by itself.
    private func checkMembers() throws(RunFailure) {
        for member in members where member.isWanted && !member.isRunning {
            let status = member.process?.ended ?? 0
            throw RunFailure(
                """
                \(member.name) ended by itself after \(FigureText.decimals(now, 1)) s (\(Self.text(status))):
                \(folder.lastWords(member.name))
                Its log: \(folder.log(member.name))
                """)
        }
    }

    static let silence = Logger(label: "loadtest") { _ in SwiftLogNoOpLogHandler() }

    private func reason(_ id: String) async -> String {
        guard let ledger, let id = MailingID(id), let record = try? await ledger.mailing(id) else { return "the ledger does not tell why" }
        return record.reason
    }

    func say(_ what: String) {
        events.append(.init(at: now, what: what))
        tell()
    }
}
