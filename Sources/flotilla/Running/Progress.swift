import Foundation
import Ledger
import Logging
import Model
import Policy
import ServiceLifecycle
import Telemetry

/// Shows the progress of one mailing, and ends the run when the mailing has ended or paused itself.
struct ProgressMonitor: Service {
    let id: MailingID
    let name: String
    let ledger: any OpenLedger
    /// What follows a command in a hint, for the same ledger.
    let ledgerHint: String
    let terminal: Terminal
    let isQuiet: Bool
    let logger: Logger
    /// Seconds between two lines where there is no terminal.
    private static let plainInterval = 10.0

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await follow()
        }
        terminal.progress(nil)
    }

    private func follow() async throws {
        var rate = Rate()
        var commonest = CommonestResponse()
        var lastLine: ContinuousClock.Instant?
        var pause: Int64?
        let signal = WakeSignal()
        let changes = ledger.wake(signal)
        defer { changes.cancel() }
        while true {
            do throws(LedgerError) {
                guard let progress = try await ledger.progress(id) else { return }
                rate.note(progress)
                // Read each time: a person may have resumed it, or paused it once more.
                let record = [.scheduled, .paused].contains(progress.state) ? try await ledger.mailing(id) : nil
                reportPause(record, &pause)
                if !isQuiet {
                    var line = line(progress, rate.perSecond, record)
                    line.response = try await commonest.text(of: id, progress, standsStill: rate.standsStill, ledger)
                    show(line, &lastLine)
                }
                if try await hasEnded(progress) { return }
            } catch {
                // The ledger may be unavailable for a while. The roles log it too.
                terminal.progress(ProgressText(name: name, figures: ["the ledger cannot be read: \(error)"]))
            }
            // The line is drawn anew a few times a second, and the end is seen at once.
            await signal.wait(atMost: .milliseconds(200))
            try await Task.sleep(for: Self.shortestWait)
        }
    }

    private static let shortestWait = Duration.milliseconds(25)

    private func line(_ progress: MailingProgress, _ rate: Double, _ record: MailingRecord?) -> ProgressLine {
        var line = ProgressLine(
            name: name, progress: progress, rate: rate, secondsToStart: record?.secondsToStart(Clock.milliseconds()))
        if let record, record.state == .paused, progress.state == .paused { line.pause = record.reason }
        return line
    }

    /// Says once for each pause who paused it, and what to do.
    /// - Parameter told: when the last reported pause began.
    private func reportPause(_ record: MailingRecord?, _ told: inout Int64?) {
        guard let record, record.state == .paused, record.stateReason.kind == .person, record.stateChanged ?? 0 != told else { return }
        told = record.stateChanged ?? 0
        logger.notice("\(PausedText(record).waiting(ledger: ledgerHint))", metadata: ["mailing": "\(record.id)"])
    }

    private func show(_ line: ProgressLine, _ lastLine: inout ContinuousClock.Instant?) {
        guard !terminal.isInteractive else { return terminal.progress(line.text) }
        // While the start is far ahead, one line at once and then one an hour is enough.
        let wait = max(Self.plainInterval, min(3_600, (line.secondsToStart ?? 0) / 10))
        let last = lastLine ?? (line.secondsToStart == nil ? .now : .now - .seconds(wait))
        lastLine = last
        guard ContinuousClock.now - last >= .seconds(wait) else { return }
        terminal.log(line.text.text)
        lastLine = .now
    }

    private func hasEnded(_ progress: MailingProgress) async throws(LedgerError) -> Bool {
        switch progress.state {
        // The batches that were in flight are settled.
        case .stopped: progress.open == progress[.uncertain]
        // A person who pauses will resume. A mailing that paused itself needs a fix first.
        case .paused: try await isPausedByItself()
        // All that is open is held until a person decides.
        case .sending: progress.planningDone && progress.open > 0 && progress.open == progress[.uncertain]
        default: progress.state.isTerminal
        }
    }

    /// State and reason come from one read: between two reads a person may resume the mailing.
    private func isPausedByItself() async throws(LedgerError) -> Bool {
        guard let record = try await ledger.mailing(id) else { return true }
        return record.state == .paused && record.stateReason.kind != .person
    }
}

extension MailingRecord {
    /// Seconds until its start; nil when it does not wait for one.
    /// - Parameter now: milliseconds since 1970.
    func secondsToStart(_ now: Int64) -> Double? {
        guard state == .scheduled, started == nil, let start, start > now else { return nil }
        return Double(start - now) / 1000
    }
}

/// Terminal recipients a second, over the last few seconds.
private struct Rate {
    private var points: [(time: ContinuousClock.Instant, finished: Int)] = []

    mutating func note(_ progress: MailingProgress) {
        points.append((.now, progress.planned - progress.open))
        if points.count > 25 { points.removeFirst() }
    }

    /// No recipient became terminal for a few seconds.
    var standsStill: Bool {
        guard let first = points.first, let last = points.last else { return false }
        return last.time - first.time >= .seconds(2) && last.finished == first.finished
    }

    var perSecond: Double {
        guard let first = points.first, let last = points.last, last.time > first.time else { return 0 }
        return Double(last.finished - first.finished) / (Double((last.time - first.time).nanoseconds) / 1e9)
    }
}

/// The commonest response to a mailing that makes no progress, read now and then.
private struct CommonestResponse {
    private var known: String?
    private var looked: ContinuousClock.Instant?

    mutating func text(
        of id: MailingID, _ progress: MailingProgress, standsStill: Bool, _ ledger: any OpenLedger
    ) async throws(LedgerError) -> String? {
        guard standsStill, progress[.deferred] > 0 else {
            known = nil
            looked = nil
            return nil
        }
        if looked.map({ ContinuousClock.now - $0 >= .seconds(2) }) ?? true {
            looked = .now
            known = try await ledger.commonestDeferral(id)?.words
        }
        return known
    }
}

extension MailingReport.ResponseCount {
    /// Code and text, as far as there are any.
    var words: String { code == 0 ? text : "\(code) \(text)" }
}

/// The progress of a mailing in one line.
struct ProgressLine {
    let name: String
    let progress: MailingProgress
    /// Recipients a second; nil if unknown.
    let rate: Double?
    /// Nil when the mailing does not wait for its start.
    let secondsToStart: Double?
    /// The commonest response to those who wait, where nobody becomes terminal.
    var response: String?
    /// Who paused it and why, where it is paused.
    var pause: String?

    var text: ProgressText { ProgressText(name: name, figures: figures) }

    /// Columns of the words about a pause.
    private static let longestPause = 60

    /// Who paused it and why, where that is known; else its state.
    private var stateWords: String {
        guard let pause, !pause.isEmpty else { return progress.state.rawValue }
        return LogText.line(pause).cut(to: Self.longestPause, at: .end)
    }

    /// The most important first: a narrow terminal shows no others.
    private var figures: [String] {
        if let secondsToStart { return ["starts in \(TimeSpan.text(seconds: secondsToStart))"] }
        if !progress.planningDone {
            let doing = progress.state == .collecting ? "planning" : progress.state.rawValue
            if progress.planned == 0, progress.excluded == 0 { return ["\(doing), nothing planned yet"] }
            return ["\(doing), \(counted(progress.planned, "recipient")) so far, \(grouped(progress.excluded)) excluded"]
        }
        let finished = progress.planned - progress.open
        let share = progress.planned == 0 ? 100 : finished * 100 / progress.planned
        var parts = [
            "\(stateWords) \(share) %",
            "sent \(grouped(progress[.sent] + progress[.delivered])) of \(grouped(progress.planned))",
        ]
        for state in [RecipientState.failed, .expired, .deferred, .uncertain, .stopped, .skipped] where progress[state] > 0 {
            parts.append("\(state.name) \(grouped(progress[state]))")
        }
        guard let rate else { return parts }
        parts.append("\(grouped(Int(rate.rounded())))/s")
        if rate > 0.5, progress.open > 0 { parts.append("\(TimeSpan.text(seconds: Double(progress.open) / rate)) left") }
        if let response { parts.append("commonest response: \(response)") }
        return parts
    }
}
