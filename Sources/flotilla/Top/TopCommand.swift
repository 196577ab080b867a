import ArgumentParser
import Broker
import Foundation
import Ledger
import Logging
import Model
import NIOPosix
import Settings
import Telemetry
import UnixSignals

/// A live view of a fleet.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watch a fleet: its mailings and what holds them up, its processes, its streams.",
        discussion: """
            Reads the ledger and Redis, and changes nothing. On a terminal it is drawn anew until Ctrl-C; otherwise it is printed once.
            """)
    @OptionGroup var options: LedgerOptions
    @Option(help: "The Redis of the fleet: redis://, rediss:// (TLS) or unix:///path. No password here: FLOTILLA_REDIS_PASSWORD.")
    var redis: String?
    @Option(help: "Seconds between two looks.") var every = 1.0
    @Flag(help: "Mailings that are over, too.") var all = false
    @Flag(help: "Print once, even on a terminal.") var once = false
    @Flag(help: "Print once, as JSON, for scripts.") var json = false

    func validate() throws {
        guard (0.1...3600).contains(every) else { throw ValidationError("--every takes 0.1 to 3600 seconds") }
    }

    func run() async throws {
        var settings = try options.settings()
        if let redis { try settings.redis.take(redis) }
        guard let endpoint = RedisEndpoint(settings.redis) else { throw RoleRuntime.MissingRedis() }
        let ledger = try options.open(settings)
        let broker = Broker(
            endpoint: endpoint, prefix: settings.redis.prefix, partitions: settings.collector.partitions, name: "flotilla-top",
            group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "flotilla") { _ in SwiftLogNoOpLogHandler() })
        let look = FleetSnapshot(broker: broker, ledger: ledger, stuckAfter: settings.planner.stuckAfter)
        let isLive = !json && !once && isatty(STDOUT_FILENO) != 0
        do {
            if isLive { await watch(look) } else { try await show(look) }
        } catch {
            await look.close()
            throw error
        }
        await look.close()
    }

    /// Prints once, after two looks, for rates.
    private func show(_ look: FleetSnapshot) async throws {
        var look = look
        _ = await look.look(all: all)
        try await Task.sleep(for: .seconds(every))
        let view = await look.look(all: all)
        if json { return print(try ScriptJSON.text(view)) }
        // A file or a pipe is as wide as it is said to be, or as it need be.
        let width = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) } ?? .max
        print(FleetText(view: view, width: max(40, width)).lines.joined(separator: "\n"))
    }

    /// Draws again and again, until a signal comes.
    private func watch(_ look: FleetSnapshot) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [all, every] in
                var look = look
                while !Task.isCancelled {
                    Self.draw(await look.look(all: all))
                    try? await Task.sleep(for: .seconds(every))
                }
            }
            for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) { break }
            group.cancelAll()
            // A look under way is waited for; who does not want to wait for that signals again.
            for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
        }
    }

    private static func draw(_ view: FleetView) {
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        let (columns, rows) = isKnown ? (Int(size.ws_col), Int(size.ws_row)) : (80, 24)
        let lines = FleetText(view: view, width: columns).lines
        var shown = Array(lines.prefix(max(1, rows - 1)))
        if lines.count > shown.count { shown[shown.count - 1] = "... \(lines.count - shown.count + 1) more lines" }
        // Home, each line to its end, and what was below (ECMA-48: CUP, EL, ED).
        let text = "\u{1B}[H" + shown.map { $0 + "\u{1B}[K\r\n" }.joined() + "\u{1B}[J"
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
