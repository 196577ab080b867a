import Foundation
import Ledger
import Model
import Settings
import Telemetry

extension LoadRun {
    /// Adds each mailing at its time.
    func addMailings() async throws {
        let plans = scenario.mailings.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
        for (_, plan) in plans {
            try await wait(until: plan.at)
            for copy in 1...plan.copies {
                let name = plan.name(ofCopy: copy)
                let added = now
                let id = try await command([
                    "mailing", "add", "\(folder.path)/mailings/\(name).yaml", "--config", folder.configuration,
                ])
                var facts = MailingFacts(
                    plan: plan.name, name: name, id: id, channel: plan.channel, recipients: plan.recipients)
                facts.added = added
                mailings.append(facts)
            }
            if plan.at > 0 {
                let copies = plan.copies > 1 ? " each of \(plan.copies)" : ""
                say("\(plan.name) added, \(grouped(plan.recipients)) recipients\(copies)")
            }
        }
    }

    func wait(until time: Double) async throws {
        let rest = time - now
        if rest > 0 { try await Task.sleep(for: .seconds(rest)) }
    }

    /// Does each line of the script at its time; one that takes long does not hold up the next.
    func followScript() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for line in scenario.script {
                try await wait(until: line.at)
                group.addTask { try await self.perform(line) }
            }
            try await group.waitForAll()
        }
    }

    private func perform(_ line: ScriptLine) async throws {
        switch line.action {
        case .add: try await add(line)
        case .remove: await end(line, SIGTERM)
        case .kill: await end(line, SIGKILL)
        case .freeze:
            let chosen = choose(line, count: line.count ?? 1)
            for member in chosen {
                member.process?.signal(SIGSTOP)
                member.isFrozen = true
            }
            tell(line, "frozen", chosen)
        case .thaw:
            let chosen = choose(line, count: line.count ?? .max, frozen: true)
            for member in chosen {
                member.process?.signal(SIGCONT)
                member.isFrozen = false
            }
            tell(line, "thawed", chosen)
        case .restart: try await restart(line)
        }
    }

    private func add(_ line: ScriptLine) async throws {
        switch line.target {
        case .kind(let kind):
            let names = try (0..<(line.count ?? 1)).map { _ in try startRole(kind) }
            say("\(names.joined(separator: ", ")) added")
        case .member: break
        case .redis:
            guard let member = members.first(where: { $0.kind == .redis }), member.process == nil else {
                return say("redis runs already")
            }
            try await spawnRedis(member)
            say("redis started again, empty")
        case .sink(let name):
            guard let member = members.first(where: { $0.kind == .sink && $0.name == name }), member.process == nil,
                let plan = scenario.sinks.first(where: { $0.name == name })
            else { return say("sink \(name) runs already") }
            try await spawnSink(member, plan)
            say("sink \(name) started again")
        }
    }

    private func end(_ line: ScriptLine, _ signal: Int32) async {
        let chosen = choose(line, count: line.count ?? 1)
        tell(line, signal == SIGKILL ? "killed" : "asked to end", chosen)
        for member in chosen {
            member.isBusy = true
            if signal == SIGTERM {
                ask(member)
            } else {
                member.isWanted = false
                member.measure(at: now)
                member.process?.signal(signal)
            }
        }
        let grace = scenario.fleet.settings.shutdown.grace.seconds + 5
        for member in chosen {
            if signal == SIGTERM {
                await waitForEnd(member, within: grace)
                say("\(member.name) ended")
            } else if let process = member.process {
                _ = await process.end(within: 10)
                member.close("killed at \(FigureText.decimals(now, 1)) s")
            }
            member.isBusy = false
        }
    }

    private func restart(_ line: ScriptLine) async throws {
        let chosen = choose(line, count: line.count ?? .max).sorted { $0.number < $1.number }
        for (index, member) in chosen.enumerated() {
            if index > 0, line.each > 0 { try await Task.sleep(for: .seconds(line.each)) }
            guard member.process != nil, !member.isBusy else { continue }
            member.isBusy = true
            ask(member)
            await waitForEnd(member, within: scenario.fleet.settings.shutdown.grace.seconds + 5)
            try Task.checkCancellation()
            switch member.kind {
            case .redis: try await spawnRedis(member)
            case .sink:
                if let plan = scenario.sinks.first(where: { $0.name == member.name }) { try await spawnSink(member, plan) }
            default: try spawnRole(member)
            }
            member.isBusy = false
            say("\(member.name) restarted")
        }
    }

    /// Whom a line means, those that were started last first.
    private func choose(_ line: ScriptLine, count: Int, frozen: Bool = false) -> [FleetProcess] {
        let found = members.filter { member in
            guard member.process != nil, !member.isBusy, member.isFrozen || !frozen else { return false }
            return switch line.target {
            case .kind(let kind): member.kind == kind
            case .member(let name): member.name == name
            case .redis: member.kind == .redis
            case .sink(let name): member.kind == .sink && member.name == name
            }
        }
        return Array(found.reversed().prefix(count))
    }

    private func tell(_ line: ScriptLine, _ what: String, _ members: [FleetProcess]) {
        let names = members.map { $0.kind == .sink ? "sink \($0.name)" : $0.name }.joined(separator: ", ")
        say(members.isEmpty ? "\(line.text): there is none" : "\(names) \(what)")
    }
}
