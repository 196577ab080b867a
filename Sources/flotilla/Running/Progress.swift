import Foundation
import Ledger
import Model
import ServiceLifecycle
import Telemetry

/// Follows one mailing to its end: shows a live line, and ends the run when the mailing has ended or is paused.
struct Follower: Service {
    let id: MailingID
    let name: String
    let ledger: SQLiteLedger
    let terminal: Terminal
    let isQuiet: Bool
    /// Where there is no terminal: seconds between two lines.
    private static let plainInterval = 10.0

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await follow()
        }
        terminal.progress(nil)
    }

    private func follow() async throws {
        var rate = Rate()
        var lastLine = ContinuousClock.now
        while true {
            do throws(LedgerError) {
                guard let progress = try await ledger.progress(id) else { return }
                rate.note(progress)
                if !isQuiet { show(ProgressLine(name: name, progress: progress, rate: rate.perSecond), &lastLine) }
                if try await isOver(progress) { return }
            } catch {
                // The ledger may be away for a while, like everything else; the roles say so too.
                terminal.progress("\(name): the ledger cannot be read: \(error)")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func show(_ line: ProgressLine, _ lastLine: inout ContinuousClock.Instant) {
        if terminal.isInteractive {
            terminal.progress(line.text)
        } else if ContinuousClock.now - lastLine > .seconds(Self.plainInterval) {
            terminal.log(line.text)
            lastLine = .now
        }
    }

    private func isOver(_ progress: MailingProgress) async throws(LedgerError) -> Bool {
        switch progress.state {
        // What was with the workers has come back.
        case .stopped: progress.open == progress[.uncertain]
        // An operator who pauses will resume; a mailing that paused itself needs somebody to mend something.
        case .paused: try await isPausedByItself()
        // Nobody is left but those whom a person must decide on.
        case .sending: progress.planningDone && progress.open > 0 && progress.open == progress[.uncertain]
        default: progress.state.isTerminal
        }
    }

    /// State and reason are of one reading: between two, an operator may have resumed the mailing.
    private func isPausedByItself() async throws(LedgerError) -> Bool {
        guard let record = try await ledger.mailing(id) else { return true }
        return record.state == .paused && record.reason != PauseReason.byHand
    }
}

/// Why mailings are paused, where it is we who say so.
enum PauseReason {
    static let byHand = "paused by hand"
}

/// Recipients finished in a second, over the last few seconds.
private struct Rate {
    private var points: [(time: ContinuousClock.Instant, finished: Int)] = []

    mutating func note(_ progress: MailingProgress) {
        points.append((.now, progress.planned - progress.open))
        if points.count > 25 { points.removeFirst() }
    }

    var perSecond: Double {
        guard let first = points.first, let last = points.last, last.time > first.time else { return 0 }
        return Double(last.finished - first.finished) / (Double((last.time - first.time).nanoseconds) / 1e9)
    }
}

/// One line that says where a mailing stands.
struct ProgressLine {
    let name: String
    let progress: MailingProgress
    /// Recipients a second.
    let rate: Double

    var text: String {
        if !progress.planningDone {
            return "\(name): planning, \(grouped(progress.planned)) planned, \(grouped(progress.excluded)) left out"
        }
        let finished = progress.planned - progress.open
        let share = progress.planned == 0 ? 100 : finished * 100 / progress.planned
        var parts = ["\(name): \(progress.state.rawValue) \(share) %", "sent \(grouped(progress[.sent] + progress[.delivered])) of \(grouped(progress.planned))"]
        for state in [RecipientState.failed, .expired, .deferred, .uncertain, .stopped] where progress[state] > 0 {
            parts.append("\(state.name) \(grouped(progress[state]))")
        }
        parts.append("\(grouped(Int(rate.rounded())))/s")
        if rate > 0.5, progress.open > 0 { parts.append("\(timeText(Double(progress.open) / rate)) left") }
        return parts.joined(separator: "  ")
    }
}

/// A number with groups of three, as `1,234,567`.
func grouped(_ number: Int) -> String {
    var digits = Array(String(number.magnitude))
    var place = digits.count - 3
    while place > 0 {
        digits.insert(",", at: place)
        place -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
}

/// A length of time, as `4 s`, `3 min 20 s`, `2 h 5 min`.
func timeText(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded(.up))
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3600: return "\(whole / 60) min \(whole % 60) s"
    default: return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
