import Broker
import Foundation
import Ledger
import Model

extension LoadRun {
    /// Looks at every process, every page, the records and Redis.
    func sample() async {
        await readPages()
        for member in members { member.measure(at: now) }
        let redisMemory = await readRedis()
        do { try readRecords() } catch { notes.append("\(error)") }
        var counts = RoleFigures()
        for member in members where ProcessKind.roles.contains(member.kind) { counts.addCounts(of: member.counts) }
        let pages = members.filter { $0.process != nil && !$0.isFrozen && ProcessKind.roles.contains($0.kind) }.map(\.figures)
        var cpu: [ProcessKind: Double] = [:]
        var memory: [ProcessKind: Int64] = [:]
        for member in members {
            cpu[member.kind, default: 0] += member.cpu
            if member.process != nil, let last = member.memory.last?.bytes {
                memory[member.kind] = max(memory[member.kind] ?? 0, last)
            }
        }
        samples.append(
            RunSample(
                at: now, counts: counts, ready: pages.compactMap(\.ready).max(), inFlight: pages.compactMap(\.inFlight).max(),
                lag: pages.compactMap(\.lag).max(), cpu: cpu, memory: memory, redisMemory: redisMemory,
                workers: members.count { $0.kind == .worker && $0.isRunning && !$0.isFrozen }))
    }

    private func readPages() async {
        let asked = members.filter { ProcessKind.roles.contains($0.kind) && $0.isRunning && !$0.isFrozen }
            .map { (name: $0.name, port: $0.port, process: $0.process?.pid ?? 0) }
        let pages = pages
        let responses = await withTaskGroup(of: (Int, RoleFigures?).self) { group in
            for (index, member) in asked.enumerated() {
                group.addTask { (index, await pages.get("/metrics", port: member.port).map { RoleFigures(page: $0) }) }
            }
            return await group.reduce(into: [Int: RoleFigures]()) { $0[$1.0] = $1.1 }
        }
        for (index, figures) in responses {
            // It may have ended meanwhile, and another process may have its name.
            let member = members.first { $0.name == asked[index].name }
            if let member, member.process?.pid == asked[index].process { member.figures = figures }
        }
    }

    private func readRedis() async -> Int64? {
        if case .own = scenario.redis {
            guard let member = members.first(where: { $0.kind == .redis }), member.isRunning, !member.isFrozen else { return nil }
        }
        guard let text = try? await redis?.send(["INFO", "memory"]).text else { return nil }
        func figure(_ name: String) -> Int64? {
            text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + ":") }
                .flatMap { Int64($0.dropFirst(name.count + 1)) }
        }
        // The peak of a given Redis may be from before the run.
        let peak = scenario.redis == .own ? figure("used_memory_peak") : figure("used_memory")
        if let peak { redisPeak = max(redisPeak ?? 0, peak) }
        return figure("used_memory")
    }

    func readRecords() throws(RunFailure) {
        for index in tails.indices { try tails[index].read(into: &arrivals) }
    }

    /// Where the mailings stand.
    func readProgress() async {
        guard let ledger else { return }
        for index in mailings.indices where mailings[index].ended == nil {
            // The ledger may be busy; the next round tries again.
            guard let id = MailingID(mailings[index].id), let found = try? await ledger.progress(id) else { continue }
            progress[mailings[index].id] = found
            mailings[index].state = found.state
            let isHeld = found.state == .sending && found.planningDone && found.open > 0 && found.open == found[.uncertain]
            guard found.state.isTerminal || isHeld else { continue }
            mailings[index].ended = found.finished.map { Double($0 * 1_000 - origin) / 1e6 } ?? now
        }
    }

    /// All that the ledger knows of the mailings' recipients.
    func readLedger() async {
        guard let ledger else { return }
        for index in mailings.indices {
            guard let id = MailingID(mailings[index].id) else { continue }
            do throws(LedgerError) {
                var last = -1
                while true {
                    let page = try await ledger.states(id, after: last, limit: 200)
                    guard let end = page.last else { break }
                    for (batch, codes) in page { mailings[index].states[batch] = codes }
                    last = end.batch
                }
                var behind: UncertainRecipient?
                while true {
                    let page = try await ledger.uncertain(id, onlyHeld: false, after: behind, limit: 1_000)
                    guard let end = page.last else { break }
                    for item in page { mailings[index].listed.insert(.init(batch: item.batch, index: item.index)) }
                    behind = end
                }
            } catch {
                halt = "the ledger cannot be read at the end: \(error)"
            }
        }
    }

    /// Tells whoever watches where the run stands.
    func tell() {
        onChange(LiveState(self))
    }
}
