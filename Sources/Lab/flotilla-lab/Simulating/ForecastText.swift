import Foundation
import Model
import Policy
import Simulation
import Telemetry

/// Forecasts for a terminal, and for scripts.
struct ForecastText {
    struct Result {
        /// At the start.
        var workers: Int
        var plan: FleetPlan
        var forecast: Forecast
        var notes: [String]
    }

    let name: String
    /// At least one; several where a scenario has steps.
    let results: [Result]

    var text: String {
        guard results.count == 1, let only = results.first else { return steps }
        var blocks = [headline(only), mailings(only), phases(only), providers(only), costs(only)]
        blocks.append(advice(only).map { "- \($0)" }.joined(separator: "\n"))
        return blocks.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    /// Two spaces before each line.
    private func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }.joined(separator: "\n")
    }

    private static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<10: "\((seconds * 10).rounded() / 10) s"
        // Up to 100 hours, hours and minutes are easier to read than days.
        case 86_400..<360_000: "\(Int(seconds / 3_600)) h \(Int(seconds / 60) % 60) min"
        default: TimeSpan.text(seconds: seconds)
        }
    }

    private static func rate(_ perSecond: Double) -> String {
        perSecond >= 10 ? "\(grouped(Int(perSecond.rounded())))/s" : "\((perSecond * 10).rounded() / 10)/s"
    }

    private static func bytes(_ count: Double) -> String {
        for (unit, size) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6)] where count >= size {
            let value = count / size
            return "\(value >= 10 ? "\(Int(value.rounded()))" : "\((value * 10).rounded() / 10)") \(unit)"
        }
        return "\(Int(count / 1e3)) kB"
    }

    private static func cores(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }

    // MARK: - Blocks

    /// The main figures in a few lines.
    private func headline(_ result: Result) -> String {
        let forecast = result.forecast
        if let reason = forecast.unfinished { return "\(name): \(reason)" }
        let recipients = forecast.mailings.reduce(0) { $0 + $1.recipients }
        var parts = ["\(grouped(recipients)) take \(Self.time(forecast.seconds)) with \(result.workers) workers"]
        if let most = forecast.mailings.compactMap(\.mostEnd).max(), forecast.seconds > 1.05 * most {
            parts[0] += ", 99 of 100 are through after \(Self.time(most))"
        }
        var held: [Bottleneck: Double] = [:]
        for phase in forecast.phases { held[phase.bottleneck, default: 0] += phase.to - phase.from }
        if let longest = held.max(by: { $0.value < $1.value })?.key, longest != .nothing {
            parts.append("what holds it back longest: \(longest)")
        }
        for provider in forecast.providers {
            guard let needed = provider.neededConnections, let limit = provider.limit else { continue }
            parts.append("\(grouped(needed)) connections to \(provider.name) would do for \(Self.rate(limit))")
        }
        parts.append("Redis \(Self.bytes(forecast.redis.peakBytes))")
        return "\(name): " + parts.joined(separator: "; ")
    }

    private func mailings(_ result: Result) -> String {
        let shown = result.forecast.mailings.prefix(25)
        let rows = shown.map { mailing in
            let seconds = mailing.seconds ?? 0
            let open = mailing.recipients - mailing.sent - mailing.failed - mailing.expired - mailing.held
            return [
                mailing.name, grouped(mailing.recipients), open > 0 ? "no end" : Self.time(seconds),
                seconds > 0 ? Self.rate(Double(mailing.sent) / seconds) : "-", grouped(mailing.sent), grouped(mailing.failed),
                grouped(mailing.expired),
                mailing.bottlenecks.first.map { "\($0.by)" } ?? "",
            ]
        }
        var text = TextTable(
            header: ["mailing", "recipients", "takes", "rate", "sent", "failed", "expired", "held back longest by"], rows: rows,
            rightAligned: [1, 2, 3, 4, 5, 6]
        ).text
        let more = result.forecast.mailings.count - shown.count
        if more > 0 { text += "\nand \(more) more (--output json has all)" }
        return text
    }

    private func phases(_ result: Result) -> String {
        let phases = result.forecast.phases
        let rows = phases.prefix(20).map {
            [Self.time($0.from), "for \(Self.time($0.to - $0.from))", Self.rate($0.rate), "\($0.bottleneck)"]
        }
        var text =
            "What holds the largest back, from when on:\n"
            + indented(TextTable(header: [], rows: rows, rightAligned: [0, 1, 2]).text)
        if phases.count > rows.count { text += "\n  and \(phases.count - rows.count) more" }
        return text + "\nRate: \(series(result.forecast))"
    }

    private func series(_ forecast: Forecast) -> String {
        let bars = Array("▁▂▃▄▅▆▇█")
        let points = forecast.rate
        guard !points.isEmpty else { return "nothing is sent" }
        let width = max(1, (points.count + 59) / 60)
        let columns = stride(from: 0, to: points.count, by: width).map { start in
            let part = points[start..<min(points.count, start + width)]
            return part.reduce(0) { $0 + $1.rate } / Double(part.count)
        }
        let most = max(columns.max() ?? 0, 1e-9)
        return String(columns.map { bars[min(bars.count - 1, Int($0 / most * Double(bars.count) * 0.999))] })
            + "  at most \(Self.rate(most))"
    }

    private func providers(_ result: Result) -> String {
        let rows = result.forecast.providers.map { provider in
            [
                provider.name, "at most \(Self.rate(provider.peakRate))",
                "\(grouped(Int(provider.busyConnections.rounded(.up)))) of \(grouped(provider.connections)) connections busy",
                provider.limit.map { "\(Self.rate($0)) allowed" } ?? "no limit",
                provider.neededConnections.map { "\(grouped($0)) connections keep that full" } ?? "",
                provider.secondsUnavailable > 0
                    ? "unavailable \(Self.time(provider.secondsUnavailable)), "
                        + "\(Self.time(provider.secondsToReturn)) until all workers are back, \(grouped(provider.uncertain)) uncertain"
                    : "",
            ]
        }
        return TextTable(header: [], rows: rows).text
    }

    private func costs(_ result: Result) -> String {
        let forecast = result.forecast
        let rows = forecast.cpu.map { role in
            [
                role.name, grouped(role.count), Self.cores(role.peakCores), Self.time(role.cpuSeconds),
                "\((role.microsecondsAMessage * 10).rounded() / 10)",
            ]
        }
        let table = TextTable(
            header: ["CPU of", "processes", "cores at most", "CPU time", "us a message"], rows: rows, rightAligned: [1, 2, 3, 4])
        let shared = result.plan.cores.map { "all on \(Self.cores($0)) cores" } ?? "each on a core of its own; --cores N for all on N"
        return "Processes: \(shared)\n" + table.text + """


            Redis    \(Self.bytes(forecast.redis.peakBytes)) at most, \(Self.bytes(forecast.redis.worstBytes)) should the collector stand \
            still; \(grouped(Int(forecast.redis.peakCommands.rounded()))) commands/s
            Ledger   grows by \(Self.bytes(forecast.ledgerBytes))
            Planner  \(Self.bytes(forecast.plannerBytes)) of memory while it plans the largest mailing
            """
    }

    /// What a reader may want to change.
    private func advice(_ result: Result) -> [String] {
        var advice: [String] = []
        for mailing in result.forecast.mailings where mailing.expired > 0 {
            let lifetime = result.plan.mailings.first { $0.name == mailing.name }?.lifetime ?? 0
            advice.append(
                "\(grouped(mailing.expired)) recipients of \(mailing.name) expire: "
                    + "its lifetime is \(Self.time(lifetime)) (lifetime: in the mailing)")
        }
        for provider in result.forecast.providers {
            if let needed = provider.neededConnections, needed > provider.connections {
                advice.append(
                    "\(provider.name): the limit needs \(grouped(needed)) connections, \(grouped(provider.connections)) are there: "
                        + "more workers, or providers.\(provider.name).connections")
            }
        }
        let busy = result.forecast.cpu.filter { $0.peakCores > 0.8 * Double($0.count) && $0.name != "planner" }
        for role in busy {
            advice.append(
                "\(role.name): \(Self.cores(role.peakCores)) of \(role.count) cores are busy at most; docs/capacity.md says how to shard")
        }
        return advice + result.notes
    }

    private var steps: String {
        let first = results.first
        let rows = results.map { result -> [String] in
            let rate = Double(result.forecast.attempts) / max(result.forecast.seconds, 1e-9)
            let base = Double(first?.forecast.attempts ?? 0) / max(first?.forecast.seconds ?? 0, 1e-9) / Double(max(1, first?.workers ?? 1))
            let efficiency = base > 0 && result.workers > 0 ? rate / base / Double(result.workers) : 0
            let bottleneck = result.forecast.mailings.max { $0.recipients < $1.recipients }?.bottlenecks.first.map { "\($0.by)" } ?? ""
            return [
                grouped(result.workers), Self.time(result.forecast.seconds), Self.rate(rate), "\((efficiency * 100).rounded() / 100)",
                Self.bytes(result.forecast.redis.peakBytes), bottleneck,
            ]
        }
        return "\(name):\n"
            + TextTable(
                header: ["workers", "takes", "rate", "efficiency", "Redis", "held back longest by"], rows: rows,
                rightAligned: [0, 1, 2, 3, 4]
            ).text
            + notes.map { "\n- \($0)" }.joined()
    }

    /// Each once, whichever step it belongs to.
    private var notes: [String] {
        results.flatMap(\.notes).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    // MARK: - JSON

    private struct Document: Encodable {
        var name: String
        var workers: Int
        var forecast: Forecast
        var notes: [String]
    }

    /// An object; a list of them where the scenario has steps.
    var json: String {
        get throws {
            let documents = results.map { Document(name: name, workers: $0.workers, forecast: $0.forecast, notes: $0.notes) }
            return documents.count == 1 ? try ScriptJSON.text(documents[0]) : try ScriptJSON.text(documents)
        }
    }
}
