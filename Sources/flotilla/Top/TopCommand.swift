import ArgumentParser
import Broker
import CommandSupport
import Foundation
import Ledger
import Model
import Settings
import Telemetry
import UnixSignals

/// Shows a fleet live, or once.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watch a fleet: its mailings and what blocks them, its processes, its lanes and streams.",
        discussion: """
            Reads the ledger and Redis, and changes nothing. On a terminal it refreshes until Ctrl-C; otherwise it prints once.
            """)
    @OptionGroup var options: LedgerOptions
    @OptionGroup var redis: RedisOption
    @Option(help: "Seconds between two samples.") var every = 1.0
    @Flag(help: "Show mailings that have ended, too.") var all = false
    @Flag(help: "Print once, even on a terminal.") var once = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (0.1...3600).contains(every) else { throw ValidationError("--every takes 0.1 to 3600 seconds") }
    }

    func run() async throws {
        output.warnOfOldOption()
        var settings = try options.settings(mayDiffer: true)
        try redis.apply(to: &settings)
        guard let broker = Broker(orders: settings) else { throw RoleRuntime.MissingRedis() }
        let ledger = try options.open(settings)
        let sampler = FleetSampler(broker: broker, ledger: ledger, stuckAfter: settings.planner.stuckAfter)
        let isLive = !output.isJSON && !once && isatty(STDOUT_FILENO) != 0
        do {
            if isLive { await watch(sampler) } else { try await show(sampler) }
        } catch {
            await sampler.close()
            throw error
        }
        await sampler.close()
    }

    /// Prints once, after two samples, which rates need.
    private func show(_ sampler: FleetSampler) async throws {
        var sampler = sampler
        _ = await sampler.sample(all: all)
        try await Task.sleep(for: .seconds(every))
        let snapshot = await sampler.sample(all: all)
        if output.isJSON { return StandardOutput.write(json: try snapshot.json()) }
        // A file or a pipe has the width of COLUMNS, or no limit.
        let width = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) } ?? .max
        StandardOutput.write(FleetText(snapshot: snapshot, width: max(40, width)).lines.joined(separator: "\n"))
    }

    /// Draws repeatedly until a signal comes.
    private func watch(_ sampler: FleetSampler) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [all, every] in
                var sampler = sampler
                while !Task.isCancelled {
                    Self.draw(await sampler.sample(all: all))
                    try? await Task.sleep(for: .seconds(every))
                }
            }
            for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) { break }
            group.cancelAll()
            // The current sample is awaited; a second signal ends the process at once.
            for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
        }
    }

    private static func draw(_ snapshot: FleetSnapshot) {
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        let (columns, rows) = isKnown ? (Int(size.ws_col), Int(size.ws_row)) : (80, 24)
        let lines = FleetText(snapshot: snapshot, width: columns).lines
        var shown = Array(lines.prefix(max(1, rows - 1)))
        if lines.count > shown.count { shown[shown.count - 1] = "... \(lines.count - shown.count + 1) more lines" }
        StandardOutput.draw(shown)
    }
}
